"""The logarithm is taken of a probability that may have underflowed."""
# caught by: cross_entropy_values
# hint: ln p = z[y] − logsumexp(z) needs no probability.


# %% cross-entropy
def cross_entropy(logits, y, ignore_index=-100, smoothing=0.0):
    """The mean cross entropy of the rows whose label is not `ignore_index`, a float; 0.0 if there are none."""
    counted = y != ignore_index
    if not counted.any():
        return 0.0
    z, y = logits[counted], y[counted]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = np.log(e / e.sum(axis=1, keepdims=True))
        losses = -(1.0 - smoothing) * log_p[np.arange(len(y)), y]
        if smoothing:
            losses = losses - smoothing * log_p.mean(axis=1)
    return float(np.mean(losses))
