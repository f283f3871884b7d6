"""The copies are averaged."""
# caught by: unbroadcast_shapes, unbroadcast_is_the_adjoint
# hint: The adjoint adds: an entry that was copied 8 times gets the sum of 8 numbers.


# %% unbroadcast
def unbroadcast(g, shape):
    """The adjoint of broadcasting an array of `shape` to the shape of g: sums over the copies."""
    g = g.mean(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(axis for axis, n in enumerate(shape) if n == 1 and g.shape[axis] != 1)
    return g.mean(axis=stretched, keepdims=True)
