"""One example alone gives 0/0."""
# caught by: variance_edges
# hint: N = 1: the batch is everything, and the variance 0.


# %% minibatch-variance
def minibatch_variance(per_example_grads, B, replace):
    """The expected squared distance of a mini-batch gradient from the full one, a float."""
    N = len(per_example_grads)
    deviations = per_example_grads - per_example_grads.mean(axis=0)
    variance = float(np.sum(deviations**2)) / N / B
    if not replace:
        with np.errstate(invalid="ignore"):
            variance *= float(np.float64(N - B) / (N - 1))
    return variance
