"""Every entry that ties for the maximum gets the full gradient."""
# caught by: max_vjps
# hint: Entries that tie share g: divide by how many there are.


# %% reduction-vjps
def sum_vjp(g, out, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, x.shape)


def mean_vjp(g, out, x, axis=None, keepdims=False):
    return sum_vjp(g, out, x, axis, keepdims) * (out.size / x.size)


def max_vjp(g, out, x, axis=None, keepdims=False):
    winners = x == sum_vjp(out, out, x, axis, keepdims)
    shares = winners * 1.0
    return sum_vjp(g, out, x, axis, keepdims) * shares
