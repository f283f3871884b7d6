"""The moments are kept in 16 bit too."""
# caught by: training_state
# hint: In this recipe the moments are fp32: 4 + 4 bytes.


# %% state-bytes
def state_bytes(N, recipe):
    """Bytes of the training state of N parameters: weights, gradients, master, optimizer, total; ints."""
    each = {
        "fp32_adam": {"weights": 4, "gradients": 4, "master": 0, "optimizer": 8},
        "mixed_adam": {"weights": 2, "gradients": 2, "master": 4, "optimizer": 4},
        "fp16_sgd": {"weights": 2, "gradients": 2, "master": 0, "optimizer": 0},
    }
    if recipe not in each:
        raise ValueError(f"unknown recipe {recipe!r}; there are {', '.join(each)}")
    parts = {kind: size * N for kind, size in each[recipe].items()}
    return parts | {"total": sum(parts.values())}
