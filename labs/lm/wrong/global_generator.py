"""The global generator is used."""
# caught by: batches
# hint: generator=gen: two runs with the same generator see the same batches.


# %% get-batch
def get_batch(data, B, S, gen):
    """B random windows of data (N): inputs x (B, S) and the ids that follow, y (B, S)."""
    starts = torch.randint(len(data) - S, (B, 1))
    places = starts + torch.arange(S)
    return data[places], data[places + 1]
