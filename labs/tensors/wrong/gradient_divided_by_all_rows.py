"""The gradient is divided by the number of all rows."""
# caught by: cross_entropy_gradients
# hint: Divide by the number of rows that count.


# %% cross-entropy-grad
def cross_entropy_grad(logits, y, ignore_index=-100, smoothing=0.0):
    """The gradient of `cross_entropy` with respect to the logits; the shape of the logits."""
    counted = np.flatnonzero(y != ignore_index)
    gradient = np.zeros(logits.shape)
    if len(counted):
        p = softmax(logits[counted], axis=1) - smoothing / logits.shape[1]
        p[np.arange(len(counted)), y[counted]] -= 1.0 - smoothing
        gradient[counted] = p / len(y)
    return gradient
