"""The variance is averaged over the coordinates."""
# caught by: variance_with_replacement, variance_without_replacement
# hint: ‖g − ḡ‖² sums over the coordinates.


# %% minibatch-variance
def minibatch_variance(per_example_grads, B, replace):
    """The expected squared distance of a mini-batch gradient from the full one, a float."""
    N = len(per_example_grads)
    deviations = per_example_grads - per_example_grads.mean(axis=0)
    variance = float(np.sum(deviations**2)) / per_example_grads.size / B
    if not replace:
        variance *= (N - B) / max(N - 1, 1)
    return variance
