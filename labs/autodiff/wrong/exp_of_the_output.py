"""The pullback of exp applies exp to the output again."""
# caught by: function_vjps
# hint: exp' is exp: the output itself is the slope.


# %% function-vjps
def exp_vjp(g, out, x):
    return g * np.exp(out)


def log_vjp(g, out, x):
    return g / x


def sin_vjp(g, out, x):
    return g * np.cos(x)


def cos_vjp(g, out, x):
    return -g * np.sin(x)


def tanh_vjp(g, out, x):
    return g * (1.0 - out * out)


def relu_vjp(g, out, x):
    return g * (x > 0)
