"""The graph of f is kept: nothing is saved."""
# caught by: checkpointing
# hint: Evaluate f on detached copies and record one tensor whose parents are xs.


# %% checkpoint
def checkpoint(f, *xs):
    """f(*xs), with everything inside f forgotten and computed again in the backward pass."""
    return f(*xs)
