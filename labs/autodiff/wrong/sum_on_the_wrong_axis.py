"""The reduced axis is not put back, so g is stretched along another one."""
# caught by: sum_and_mean_vjps
# hint: Put the reduced axis back with np.expand_dims before broadcasting.


# %% reduction-vjps
def sum_vjp(g, out, x, axis=None, keepdims=False):
    return np.broadcast_to(g, x.shape)


def mean_vjp(g, out, x, axis=None, keepdims=False):
    return sum_vjp(g, out, x, axis, keepdims) * (out.size / x.size)


def max_vjp(g, out, x, axis=None, keepdims=False):
    winners = x == sum_vjp(out, out, x, axis, keepdims)
    shares = winners / winners.sum(axis=axis, keepdims=True)
    return sum_vjp(g, out, x, axis, keepdims) * shares
