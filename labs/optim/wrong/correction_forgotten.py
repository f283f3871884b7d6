"""Without replacement gives the same as with."""
# caught by: variance_without_replacement
# hint: (N − B)/(N − 1): for B = N nothing is left.


# %% minibatch-variance
def minibatch_variance(per_example_grads, B, replace):
    """The expected squared distance of a mini-batch gradient from the full one, a float."""
    N = len(per_example_grads)
    deviations = per_example_grads - per_example_grads.mean(axis=0)
    variance = float(np.sum(deviations**2)) / N / B
    return variance
