"""Shapes that do not broadcast get an answer, too."""
# caught by: broadcast_refusals
# hint: If two lengths differ and neither is 1, raise ValueError.


# %% broadcast-shape
def broadcast_shape(s, t):
    """The shape that arrays of the shapes s and t broadcast to; ValueError if they do not."""
    rank = max(len(s), len(t))
    s, t = ((1,) * (rank - len(shape)) + tuple(shape) for shape in (s, t))
    for m, n in zip(s, t):
        if m != n and 1 not in (m, n):
            continue
    return tuple(n if m == 1 else m for m, n in zip(s, t))
