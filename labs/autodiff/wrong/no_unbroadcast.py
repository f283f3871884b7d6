"""The gradient keeps the shape of the output."""
# caught by: unbroadcast_shapes, arithmetic_vjps
# hint: A gradient has the shape of its input: sum over the copies that broadcasting made.


# %% unbroadcast
def unbroadcast(g, shape):
    """The adjoint of broadcasting an array of `shape` to the shape of `g`: sums over the copies."""
    return g
