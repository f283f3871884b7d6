"""Only −∞ is taken care of; +∞ gives NaN."""
# caught by: logsumexp_limits
# hint: ∞ − ∞ is NaN as well: subtract the maximum only where it is finite.


# %% logsumexp
def logsumexp(x, axis=-1):
    """ln Σ exp(x) along `axis`, which disappears; right for logits of any size, also infinite ones."""
    m = np.max(x, axis=axis, keepdims=True)
    m = np.where(m > -np.inf, m, 0.0)
    with np.errstate(divide="ignore"):  # the logarithm of 0 is −∞, as it should be
        return np.squeeze(m, axis=axis) + np.log(np.sum(np.exp(x - m), axis=axis))
