"""On one GPU the answer is given before the kind is looked at."""
# caught by: every_kind_of_parallelism
# hint: A kind that there is not is a ValueError on one GPU, too: look at the kind first.


# %% parallel-bytes
def parallel_bytes(c, B, S, kind, degree, layers_per_stage):
    """Bytes that one GPU hands to each kind of communication in a training step; a dict of ints."""
    if degree == 1:
        return {
            "dp": {"all_reduce": 0},
            "tp": {"all_reduce": 0},
            "pp": {"forward": 0, "backward": 0},
        }.get(kind, {"all_gather": 0, "reduce_scatter": 0})
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
    return {name: 0 if degree == 1 else size for name, size in sent[kind].items()}
