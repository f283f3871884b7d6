"""Axes of length 1 are summed, those that broadcasting put in front are not."""
# caught by: unbroadcast_shapes
# hint: First sum over the g.ndim − len(shape) axes in front.


# %% unbroadcast
def unbroadcast(g, shape):
    """The adjoint of broadcasting an array of `shape` to the shape of g: sums over the copies."""
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g
