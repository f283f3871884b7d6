"""The shapes are aligned at their left ends."""
# caught by: broadcast_shapes
# hint: Missing axes come in front: align at the right.


# %% broadcast-shape
def broadcast_shape(s, t):
    """The shape that arrays of the shapes s and t broadcast to; ValueError if they do not."""
    if len(s) < len(t):
        s, t = t, s
    result = list(s)
    for k, n in enumerate(t):
        if result[k] == 1:
            result[k] = n
    return tuple(result)
