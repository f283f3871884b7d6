"""The scores without masks and dropout: 2as/h in place of 5as/h."""
# caught by: activations
# hint: 2 bytes of scores, 2 of their softmax after dropout, 1 of its mask: 5as/h.


# %% activation-bytes
def activation_bytes(s, b, h, a, t=1, sp=False, recompute="none"):
    """Bytes of the activations of one layer on one of t GPUs; recompute is none, selective or full."""
    if recompute not in ("none", "selective", "full"):
        raise ValueError(f"recompute must be none, selective or full, not {recompute!r}")
    unit = s * b * h
    if recompute == "full":
        return 2.0 * unit
    scores = 2 * a * s / h if recompute == "none" else 0.0
    if sp:
        return unit / t * (34 + scores)
    return unit * (10 + 24 / t + scores / t)
