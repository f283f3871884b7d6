"""An axis of length 1 has to have the right stride."""
# caught by: contiguous_traps
# hint: The stride of an axis of length 1 is never used, so it may be anything.


# %% strides
def contiguous_strides(shape):
    """The strides of row-major order, in elements: a tuple of ints."""
    return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))


def is_contiguous(shape, strides):
    """Whether an array with these strides (in elements) lies in row-major order without gaps."""
    if 0 in shape:
        return True
    right = contiguous_strides(shape)
    return all(s == r for s, r in zip(strides, right))


def offset(index, strides, base=0):
    """The place of an element in the buffer, in elements; ValueError if the lengths differ."""
    if len(index) != len(strides):
        raise ValueError(f"{len(index)} indices for {len(strides)} strides")
    return base + sum(i * s for i, s in zip(index, strides))
