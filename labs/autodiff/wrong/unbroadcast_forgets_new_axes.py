"""Only axes of length 1 are summed, not those that numpy put in front."""
# caught by: unbroadcast_shapes
# hint: (2, 3) + (3,): the axis of length 2 is a copy as well.


# %% unbroadcast
def unbroadcast(g, shape):
    """The adjoint of broadcasting an array of `shape` to the shape of `g`: sums over the copies."""
    extra = g.ndim - len(shape)
    stretched = tuple(axis + extra for axis, n in enumerate(shape) if n == 1)
    return g.sum(axis=stretched, keepdims=True)
