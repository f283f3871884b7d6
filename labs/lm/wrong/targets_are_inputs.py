"""y is x."""
# caught by: batches
# hint: y[b, t] is the id that follows x[b, t].


# %% get-batch
def get_batch(data, B, S, gen):
    """B random windows of data (N): inputs x (B, S) and the ids that follow, y (B, S)."""
    starts = torch.randint(len(data) - S, (B, 1), generator=gen)
    places = starts + torch.arange(S)
    return data[places], data[places]
