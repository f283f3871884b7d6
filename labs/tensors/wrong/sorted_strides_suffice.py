"""Strides that only fall from axis to axis count as contiguous."""
# caught by: contiguous_or_not, contiguous_traps
# hint: Gaps count, too: every second row also has falling strides.


# %% strides
def contiguous_strides(shape):
    """The strides of row-major order, in elements: a tuple of ints."""
    return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))


def is_contiguous(shape, strides):
    """Whether an array with these strides (in elements) lies in row-major order without gaps."""
    if 0 in shape:
        return True
    used = [s for n, s in zip(shape, strides) if n > 1]
    return used == sorted(used, reverse=True)


def offset(index, strides, base=0):
    """The place of an element in the buffer, in elements; ValueError if the lengths differ."""
    if len(index) != len(strides):
        raise ValueError(f"{len(index)} indices for {len(strides)} strides")
    return base + sum(i * s for i, s in zip(index, strides))
