"""The places of a batch are sorted."""
# caught by: batches
# hint: Places are drawn independently, in whatever order they come.


# %% get-batch
def get_batch(data, B, S, gen):
    """B random windows of data (N): inputs x (B, S) and the ids that follow, y (B, S)."""
    starts = torch.randint(len(data) - S, (B, 1), generator=gen)
    starts = starts.sort(dim=0).values
    places = starts + torch.arange(S)
    return data[places], data[places + 1]
