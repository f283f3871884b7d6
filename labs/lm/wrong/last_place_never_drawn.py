"""The last place is never drawn."""
# caught by: batches
# hint: There are N − S places, and randint excludes its upper end.


# %% get-batch
def get_batch(data, B, S, gen):
    """B random windows of data (N): inputs x (B, S) and the ids that follow, y (B, S)."""
    starts = torch.randint(max(1, len(data) - S - 1), (B, 1), generator=gen)
    places = starts + torch.arange(S)
    return data[places], data[places + 1]
