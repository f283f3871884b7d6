"""The smoothing is shared by the C − 1 other classes."""
# caught by: cross_entropy_options
# hint: q = (1 − s)·onehot + s/C: the label itself gets a share, too.


# %% cross-entropy
def cross_entropy(logits, y, ignore_index=-100, smoothing=0.0):
    """The mean cross entropy of the rows whose label is not `ignore_index`, a float; 0.0 if there are none."""
    counted = y != ignore_index
    z, y = logits[counted], y[counted]
    if len(y) == 0:
        return 0.0
    rows, classes = np.arange(len(y)), z.shape[1]
    losses = logsumexp(z, axis=1)[:, np.newaxis] - z
    if not smoothing or classes == 1:
        return float(np.mean(losses[rows, y]))
    q = np.full(z.shape, smoothing / (classes - 1))
    q[rows, y] = 1.0 - smoothing
    return float(np.mean(np.sum(q * losses, axis=1)))
