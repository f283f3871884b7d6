"""Only the first factor of a product is summed back to its shape."""
# caught by: arithmetic_vjps_broadcast, arithmetic_vjps
# hint: Either operand may have been stretched, or both: unbroadcast both gradients.


# %% arithmetic-vjps
def neg_vjp(g, out, x):
    return -g


def add_vjp(g, out, x, y):
    return unbroadcast(g, x.shape), unbroadcast(g, y.shape)


def sub_vjp(g, out, x, y):
    return unbroadcast(g, x.shape), unbroadcast(-g, y.shape)


def mul_vjp(g, out, x, y):
    return unbroadcast(g * y, x.shape), g * x


def div_vjp(g, out, x, y):
    return unbroadcast(g / y, x.shape), unbroadcast(-g * x / y**2, y.shape)


def pow_vjp(g, out, x, y):
    constant = y == 0
    slope = np.where(constant, 0.0, y * np.power(x, np.where(constant, 1.0, y - 1.0)))
    positive = x > 0
    growth = np.where(positive, out * np.log(np.where(positive, x, 1.0)), 0.0)
    return unbroadcast(g * slope, x.shape), unbroadcast(g * growth, y.shape)
