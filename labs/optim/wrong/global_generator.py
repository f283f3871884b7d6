"""The global generator is seeded and used."""
# caught by: drawn_again
# hint: np.random.seed changes what others draw: make a generator of your own.


# %% batches
def batches(n, bs, epoch, seed, replace=False, drop_last=False):
    """Yield the mini-batches of one epoch: int64 arrays of indices, a function of (seed, epoch) alone."""
    np.random.seed([seed, epoch])
    order = np.random.randint(n, size=n) if replace else np.random.permutation(n)
    for start in range(0, n, bs):
        batch = order[start : start + bs]
        if len(batch) == bs or not drop_last:
            yield batch
