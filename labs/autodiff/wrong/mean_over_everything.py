"""The mean divides by the size of the whole array, whatever the axis is."""
# caught by: sum_and_mean_vjps
# hint: Divide by how many entries each mean was taken over: x.size / out.size.


# %% reduction-vjps
def sum_vjp(g, out, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, x.shape)


def mean_vjp(g, out, x, axis=None, keepdims=False):
    return sum_vjp(g, out, x, axis, keepdims) * (1.0 / x.size)


def max_vjp(g, out, x, axis=None, keepdims=False):
    winners = x == sum_vjp(out, out, x, axis, keepdims)
    shares = winners / winners.sum(axis=axis, keepdims=True)
    return sum_vjp(g, out, x, axis, keepdims) * shares
