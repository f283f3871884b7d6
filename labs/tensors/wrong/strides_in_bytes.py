"""The strides are counted in bytes, as numpy does."""
# caught by: row_major_strides
# hint: Count elements: the last stride is 1, not 8.


# %% strides
def contiguous_strides(shape):
    """The strides of row-major order, in elements: a tuple of ints."""
    return np.empty(shape).strides


def is_contiguous(shape, strides):
    """Whether an array with these strides (in elements) lies in row-major order without gaps."""
    if 0 in shape:
        return True
    right = contiguous_strides(shape)
    return all(n == 1 or s == r for n, s, r in zip(shape, strides, right))


def offset(index, strides, base=0):
    """The place of an element in the buffer, in elements; ValueError if the lengths differ."""
    if len(index) != len(strides):
        raise ValueError(f"{len(index)} indices for {len(strides)} strides")
    return base + sum(i * s for i, s in zip(index, strides))
