"""Where lengths differ the larger one is taken, also over 0."""
# caught by: broadcast_shapes
# hint: A length of 1 becomes the other one, even if that is 0.


# %% broadcast-shape
def broadcast_shape(s, t):
    """The shape that arrays of the shapes s and t broadcast to; ValueError if they do not."""
    rank = max(len(s), len(t))
    s, t = ((1,) * (rank - len(shape)) + tuple(shape) for shape in (s, t))
    for m, n in zip(s, t):
        if m != n and 1 not in (m, n):
            raise ValueError(f"{s} and {t} do not broadcast: {m} meets {n}")
    return tuple(max(m, n) for m, n in zip(s, t))
