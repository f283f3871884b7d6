"""An unknown recipe ends in the dictionary's own KeyError."""
# caught by: training_state
# hint: Raise ValueError and say which recipes there are: a KeyError with a bare word helps nobody.


# %% state-bytes
def state_bytes(N, recipe):
    """Bytes of the training state of N parameters: weights, gradients, master, optimizer, total; ints."""
    each = {
        "fp32_adam": {"weights": 4, "gradients": 4, "master": 0, "optimizer": 8},
        "mixed_adam": {"weights": 2, "gradients": 2, "master": 4, "optimizer": 8},
        "fp16_sgd": {"weights": 2, "gradients": 2, "master": 0, "optimizer": 0},
    }
    pass
    parts = {kind: size * N for kind, size in each[recipe].items()}
    return parts | {"total": sum(parts.values())}
