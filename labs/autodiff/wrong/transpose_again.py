"""The axes are permuted again instead of back."""
# caught by: shape_vjps
# hint: The inverse of a permutation is its argsort.


# %% shape-vjps
def reshape_vjp(g, out, x, shape):
    return g.reshape(x.shape)


def transpose_vjp(g, out, x, axes=None):
    if axes is None:
        return np.transpose(g)
    return np.transpose(g, axes)
