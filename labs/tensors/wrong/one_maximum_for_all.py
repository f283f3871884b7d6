"""One maximum is subtracted from the whole array."""
# caught by: logsumexp_values
# hint: A slice that is far below the largest number of all underflows: each slice has a maximum of
#   its own.


# %% logsumexp
def logsumexp(x, axis=-1):
    """ln Σ exp(x) along `axis`, which disappears; right for logits of any size, also infinite ones."""
    m = np.full_like(np.max(x, axis=axis, keepdims=True), np.max(x, initial=-np.inf))
    m = np.where(np.isfinite(m), m, 0.0)
    with np.errstate(divide="ignore"):  # the logarithm of 0 is −∞, as it should be
        return np.squeeze(m, axis=axis) + np.log(np.sum(np.exp(x - m), axis=axis))
