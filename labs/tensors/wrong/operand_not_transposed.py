"""b is used as if its shape were (d4, d5)."""
# caught by: batched_product
# hint: The second index of b meets the last one of a: ijkl,ml->ijkm, or a @ b.T.


# %% products
def mul4(a, b):
    """The elementwise product of two arrays of one shape (d1, d2, d3, d4)."""
    return a * b


def bmm_t(a, b):
    """(d1, d2, d3, d4) times the transpose of (d5, d4): an array of shape (d1, d2, d3, d5)."""
    return a @ b


def sum_dim3(a):
    """The sum over the third dimension: (d1, d2, d3, d4) becomes (d1, d2, d4)."""
    return a.sum(axis=2)
