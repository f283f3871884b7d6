"""The maximum is subtracted and never added again."""
# caught by: logsumexp_values
# hint: ln Σ exp(x) = m + ln Σ exp(x − m).


# %% logsumexp
def logsumexp(x, axis=-1):
    """ln Σ exp(x) along `axis`, which disappears; right for logits of any size, also infinite ones."""
    m = np.max(x, axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0.0)
    with np.errstate(divide="ignore"):  # the logarithm of 0 is −∞, as it should be
        return np.log(np.sum(np.exp(x - m), axis=axis))
