"""Tensor parallelism divides all activations."""
# caught by: activations, memory_everywhere
# hint: Without sequence parallelism 10sbh stay on every GPU.


# %% activation-bytes
def activation_bytes(s, b, h, a, t=1, sp=False, recompute="none"):
    """Bytes of the activations of one layer on one of t GPUs; recompute is none, selective or full."""
    if recompute not in ("none", "selective", "full"):
        raise ValueError(f"recompute must be none, selective or full, not {recompute!r}")
    unit = s * b * h
    if recompute == "full":
        return 2.0 * unit
    scores = 5 * a * s / h if recompute == "none" else 0.0
    if sp:
        return unit / t * (34 + scores)
    return unit * (34 / t + scores / t)
