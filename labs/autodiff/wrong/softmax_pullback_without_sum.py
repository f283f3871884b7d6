"""The pullback is g − p, which is right only for one-hot g."""
# caught by: log_softmax_vjps
# hint: x̄ = g − p·Σg: the sum of g is 1 only in the case of one label.


# %% log-softmax
def log_softmax_forward(x, axis):
    """The logarithm of softmax along `axis`, finite for every finite x."""
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def log_softmax_vjp(g, out, x, axis):
    return g - np.exp(out)
