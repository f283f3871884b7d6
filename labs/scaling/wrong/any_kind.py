"""An unknown kind is answered with nothing."""
# caught by: every_kind_of_parallelism
# hint: Raise ValueError for a kind that there is not.


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
    return {name: 0 if degree == 1 else size for name, size in sent.get(kind, {}).items()}
