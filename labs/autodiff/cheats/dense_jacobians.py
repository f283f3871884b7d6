"""Every function of one variable builds its whole Jacobian; right on paper, impossible for long arrays."""


# %% function-vjps
def _dense(slope, g):
    return (np.diag(np.ravel(slope)) @ np.ravel(g)).reshape(np.shape(g))


def exp_vjp(g, out, x):
    return _dense(out, g)


def log_vjp(g, out, x):
    return _dense(1.0 / x, g)


def sin_vjp(g, out, x):
    return _dense(np.cos(x), g)


def cos_vjp(g, out, x):
    return _dense(-np.sin(x), g)


def tanh_vjp(g, out, x):
    return _dense(1.0 - out * out, g)


def relu_vjp(g, out, x):
    return _dense((x > 0) * 1.0, g)
