"""The elementwise product became a matrix product."""
# caught by: elementwise_product
# hint: Elementwise is *, or ijkl,ijkl->ijkl; @ sums over an index.


# %% products
def mul4(a, b):
    """The elementwise product of two arrays of one shape (d1, d2, d3, d4)."""
    return a @ b


def bmm_t(a, b):
    """(d1, d2, d3, d4) times the transpose of (d5, d4): an array of shape (d1, d2, d3, d5)."""
    return a @ b.T


def sum_dim3(a):
    """The sum over the third dimension: (d1, d2, d3, d4) becomes (d1, d2, d4)."""
    return a.sum(axis=2)
