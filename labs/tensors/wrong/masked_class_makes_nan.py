"""Without smoothing, a class with the logit −∞ is still multiplied with 0."""
# caught by: cross_entropy_options
# hint: 0·∞ is NaN: with s = 0 leave the second term out.


# %% cross-entropy
def cross_entropy(logits, y, ignore_index=-100, smoothing=0.0):
    """The mean cross entropy of the rows whose label is not `ignore_index`, a float; 0.0 if there are none."""
    counted = y != ignore_index
    z, y = logits[counted], y[counted]
    if len(y) == 0:
        return 0.0
    lse = logsumexp(z, axis=1)
    losses = (1.0 - smoothing) * (lse - z[np.arange(len(y)), y])
    if True:
        losses = losses + smoothing * np.mean(lse[:, np.newaxis] - z, axis=1)
    return float(np.mean(losses))
