"""The exponentials are taken as they stand."""
# caught by: logsumexp_values
# hint: exp(710) overflows: subtract the maximum of each slice and add it again.


# %% logsumexp
def logsumexp(x, axis=-1):
    """ln Σ exp(x) along `axis`, which disappears; right for logits of any size, also infinite ones."""
    return np.log(np.sum(np.exp(x), axis=axis))
