"""The logarithm of a negative base is taken, and nan comes out."""
# caught by: power_vjps
# hint: Where x ≤ 0 the exponent's gradient is 0; use np.where, and give log only what it can take.


# %% arithmetic-vjps
def neg_vjp(g, out, x):
    return -g


def add_vjp(g, out, x, y):
    return unbroadcast(g, x.shape), unbroadcast(g, y.shape)


def sub_vjp(g, out, x, y):
    return unbroadcast(g, x.shape), unbroadcast(-g, y.shape)


def mul_vjp(g, out, x, y):
    return unbroadcast(g * y, x.shape), unbroadcast(g * x, y.shape)


def div_vjp(g, out, x, y):
    return unbroadcast(g / y, x.shape), unbroadcast(-g * x / y**2, y.shape)


def pow_vjp(g, out, x, y):
    constant = y == 0
    slope = np.where(constant, 0.0, y * np.power(x, np.where(constant, 1.0, y - 1.0)))
    with np.errstate(all="ignore"):
        growth = out * np.log(x)
    return unbroadcast(g * slope, x.shape), unbroadcast(g * growth, y.shape)
