"""One mean is subtracted from all coordinates."""
# caught by: variance_with_replacement
# hint: ḡ is a vector: mean(axis=0).


# %% minibatch-variance
def minibatch_variance(per_example_grads, B, replace):
    """The expected squared distance of a mini-batch gradient from the full one, a float."""
    N = len(per_example_grads)
    deviations = per_example_grads - per_example_grads.mean()
    variance = float(np.sum(deviations**2)) / N / B
    if not replace:
        variance *= (N - B) / max(N - 1, 1)
    return variance
