"""One GPU sends all the same."""
# caught by: every_kind_of_parallelism
# hint: With degree 1 there is nobody to send to: 0.


# %% parallel-bytes
def parallel_bytes(c, B, S, kind, degree, layers_per_stage):
    """Bytes that one GPU hands to each kind of communication in a training step; a dict of ints."""
    matrices = 3 if c.mlp == "swiglu" else 2
    layer = 2 * c.D * c.Hq * c.Dh + 2 * c.D * c.Hkv * c.Dh + matrices * c.D * c.F
    n = layers_per_stage * layer
    activations = 2 * B * S * c.D
    sent = {
        "dp": {"all_reduce": 2 * n},
        "pp": {"forward": activations, "backward": activations},
        "tp": {"all_reduce": 4 * layers_per_stage * activations},
        "fsdp": {"all_gather": 2 * (2 * n // degree), "reduce_scatter": 2 * n},
    }
    if kind not in sent:
        raise ValueError(f"kind must be one of {', '.join(sent)}, not {kind!r}")
    return {name: int(size) for name, size in sent[kind].items()}
