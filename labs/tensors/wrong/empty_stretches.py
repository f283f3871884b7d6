"""A length of 0 gives way to any other length."""
# caught by: broadcast_refusals
# hint: Only a length of 1 stretches: 0 and 2 are refused.


# %% broadcast-shape
def broadcast_shape(s, t):
    """The shape that arrays of the shapes s and t broadcast to; ValueError if they do not."""
    rank = max(len(s), len(t))
    s, t = ((1,) * (rank - len(shape)) + tuple(shape) for shape in (s, t))
    for m, n in zip(s, t):
        if m != n and not {0, 1} & {m, n}:
            raise ValueError(f"{s} and {t} do not broadcast: {m} meets {n}")
    return tuple(n if m == 1 else m for m, n in zip(s, t))
