"""The correction is applied with replacement."""
# caught by: variance_with_replacement, variance_without_replacement
# hint: Draws are independent with replacement; without, the variance is smaller.


# %% minibatch-variance
def minibatch_variance(per_example_grads, B, replace):
    """The expected squared distance of a mini-batch gradient from the full one, a float."""
    N = len(per_example_grads)
    deviations = per_example_grads - per_example_grads.mean(axis=0)
    variance = float(np.sum(deviations**2)) / N / B
    if replace:
        variance *= (N - B) / max(N - 1, 1)
    return variance
