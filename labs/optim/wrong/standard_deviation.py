"""The root of the variance."""
# caught by: variance_with_replacement
# hint: E‖ḡ_B − ḡ‖² is a square; no root.


# %% minibatch-variance
def minibatch_variance(per_example_grads, B, replace):
    """The expected squared distance of a mini-batch gradient from the full one, a float."""
    N = len(per_example_grads)
    deviations = per_example_grads - per_example_grads.mean(axis=0)
    variance = float(np.sum(deviations**2)) / N / B
    if not replace:
        variance *= (N - B) / max(N - 1, 1)
    return math.sqrt(variance)
