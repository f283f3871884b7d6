"""Mean of squares minus square of the mean."""
# caught by: variance_edges
# hint: Subtract the mean before squaring, or large gradients leave no digits.


# %% minibatch-variance
def minibatch_variance(per_example_grads, B, replace):
    """The expected squared distance of a mini-batch gradient from the full one, a float."""
    N = len(per_example_grads)
    g = per_example_grads
    variance = float(np.sum(g**2) / N - np.sum(g.mean(axis=0) ** 2)) / B
    if not replace:
        variance *= (N - B) / max(N - 1, 1)
    return variance
