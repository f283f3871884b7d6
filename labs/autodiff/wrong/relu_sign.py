"""The gradient of relu passes where x is negative as well."""
# caught by: function_vjps
# hint: relu passes g where x > 0 only.


# %% function-vjps
def exp_vjp(g, out, x):
    return g * out


def log_vjp(g, out, x):
    return g / x


def sin_vjp(g, out, x):
    return g * np.cos(x)


def cos_vjp(g, out, x):
    return -g * np.sin(x)


def tanh_vjp(g, out, x):
    return g * (1.0 - out * out)


def relu_vjp(g, out, x):
    return g * (out >= 0)
