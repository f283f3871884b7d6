"""The backward pass is taken to cost one forward pass."""
# caught by: training_operations, operations_of_large_models
# hint: Ȳ Wᵀ and Xᵀ Ȳ: two products for each one of the forward pass, three in all.


# %% train-flops
def train_flops(c, B, S):
    """Operations of one training step on B sequences of S tokens, forward and backward; an int."""
    return 2 * forward_flops(c, B, S)["total"]


def six_nd(N, D):
    """The rule of thumb for a whole training run: N parameters, D tokens; a float."""
    return 6.0 * N * D
