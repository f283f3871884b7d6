"""The stretched axes are summed away instead of kept with length 1."""
# caught by: unbroadcast_shapes, unbroadcast_is_the_adjoint
# hint: keepdims=True: (2, 1) has two axes.


# %% unbroadcast
def unbroadcast(g, shape):
    """The adjoint of broadcasting an array of `shape` to the shape of g: sums over the copies."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(axis for axis, n in enumerate(shape) if n == 1 and g.shape[axis] != 1)
    return g.sum(axis=stretched)
