"""Training is counted with the causal half."""
# caught by: training_operations
# hint: The step is defined on the full count.


# %% train-flops
def train_flops(c, B, S):
    """Operations of one training step on B sequences of S tokens, forward and backward; an int."""
    return 3 * forward_flops(c, B, S, causal=True)["total"]


def six_nd(N, D):
    """The rule of thumb for a whole training run: N parameters, D tokens; a float."""
    return 6.0 * N * D
