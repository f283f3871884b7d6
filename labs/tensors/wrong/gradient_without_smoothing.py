"""The target of the gradient is not smoothed."""
# caught by: cross_entropy_gradients
# hint: z̄ = p − q with the smoothed q.


# %% cross-entropy-grad
def cross_entropy_grad(logits, y, ignore_index=-100, smoothing=0.0):
    """The gradient of `cross_entropy` with respect to the logits; the shape of the logits."""
    counted = np.flatnonzero(y != ignore_index)
    gradient = np.zeros(logits.shape)
    if len(counted):
        p = softmax(logits[counted], axis=1)
        p[np.arange(len(counted)), y[counted]] -= 1.0
        gradient[counted] = p / len(counted)
    return gradient
