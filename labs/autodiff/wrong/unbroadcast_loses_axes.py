"""Stretched axes are summed away instead of kept as length 1."""
# caught by: unbroadcast_shapes
# hint: Keep a stretched axis as length 1 (keepdims=True).


# %% unbroadcast
def unbroadcast(g, shape):
    """The adjoint of broadcasting an array of `shape` to the shape of `g`: sums over the copies."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(axis for axis, n in enumerate(shape) if n == 1 and g.shape[axis] != 1)
    return g.sum(axis=stretched)
