"""A slice of −∞ gives NaN."""
# caught by: logsumexp_limits
# hint: −∞ − (−∞) is NaN: where the maximum is not finite, subtract 0.


# %% logsumexp
def logsumexp(x, axis=-1):
    """ln Σ exp(x) along `axis`, which disappears; right for logits of any size, also infinite ones."""
    m = np.max(x, axis=axis, keepdims=True)
    with np.errstate(divide="ignore"):  # the logarithm of 0 is −∞, as it should be
        return np.squeeze(m, axis=axis) + np.log(np.sum(np.exp(x - m), axis=axis))
