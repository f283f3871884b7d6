"""Four operations for each parameter and token."""
# caught by: training_operations
# hint: Two forward and four backward: 6ND.


# %% train-flops
def train_flops(c, B, S):
    """Operations of one training step on B sequences of S tokens, forward and backward; an int."""
    return 3 * forward_flops(c, B, S)["total"]


def six_nd(N, D):
    """The rule of thumb for a whole training run: N parameters, D tokens; a float."""
    return 4.0 * N * D
