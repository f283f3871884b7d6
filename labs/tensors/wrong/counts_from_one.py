"""The third dimension is taken for axis 3."""
# caught by: third_axis_sum
# hint: Python counts axes from 0: the third dimension is axis 2.


# %% products
def mul4(a, b):
    """The elementwise product of two arrays of one shape (d1, d2, d3, d4)."""
    return a * b


def bmm_t(a, b):
    """(d1, d2, d3, d4) times the transpose of (d5, d4): an array of shape (d1, d2, d3, d5)."""
    return a @ b.T


def sum_dim3(a):
    """The sum over the third dimension: (d1, d2, d3, d4) becomes (d1, d2, d4)."""
    return a.sum(axis=3)
