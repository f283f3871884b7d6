"""Places are drawn without repetition."""
# caught by: batches
# hint: Each row is drawn for itself: torch.randint, not torch.randperm.


# %% get-batch
def get_batch(data, B, S, gen):
    """B random windows of data (N): inputs x (B, S) and the ids that follow, y (B, S)."""
    starts = torch.randperm(len(data) - S, generator=gen).repeat(B)[:B, None]
    places = starts + torch.arange(S)
    return data[places], data[places + 1]
