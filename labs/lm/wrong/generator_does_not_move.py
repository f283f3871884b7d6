"""A new generator with the seed of the given one draws the places."""
# caught by: batches
# hint: Draw with generator=gen itself, or every batch is the first one.


# %% get-batch
def get_batch(data, B, S, gen):
    """B random windows of data (N): inputs x (B, S) and the ids that follow, y (B, S)."""
    own = torch.Generator().manual_seed(gen.initial_seed())
    starts = torch.randint(len(data) - S, (B, 1), generator=own)
    places = starts + torch.arange(S)
    return data[places], data[places + 1]
