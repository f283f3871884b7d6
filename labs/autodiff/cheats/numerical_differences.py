"""Pullbacks by central differences: no derivative is known, every operation is evaluated twice more."""


# %% arithmetic-vjps
def _slopes(operation, g, x, y):
    h = 1e-6
    dx = g * (operation(x + h, y) - operation(x - h, y)) / (2 * h)
    dy = g * (operation(x, y + h) - operation(x, y - h)) / (2 * h)
    return _summed(dx, x.shape), _summed(dy, y.shape)


def _summed(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


def neg_vjp(g, out, x):
    return g * (-(x + 1e-6) + (x - 1e-6)) / 2e-6


def add_vjp(g, out, x, y):
    return _slopes(np.add, g, x, y)


def sub_vjp(g, out, x, y):
    return _slopes(np.subtract, g, x, y)


def mul_vjp(g, out, x, y):
    return _slopes(np.multiply, g, x, y)


def div_vjp(g, out, x, y):
    return _slopes(np.divide, g, x, y)


def pow_vjp(g, out, x, y):
    return _slopes(np.power, g, x, y)


# %% function-vjps
def _slope(function, g, x):
    return g * (function(x + 1e-6) - function(x - 1e-6)) / 2e-6


def exp_vjp(g, out, x):
    return _slope(np.exp, g, x)


def log_vjp(g, out, x):
    return _slope(np.log, g, x)


def sin_vjp(g, out, x):
    return _slope(np.sin, g, x)


def cos_vjp(g, out, x):
    return _slope(np.cos, g, x)


def tanh_vjp(g, out, x):
    return _slope(np.tanh, g, x)


def relu_vjp(g, out, x):
    return _slope(lambda z: np.maximum(z, 0.0), g, x)
