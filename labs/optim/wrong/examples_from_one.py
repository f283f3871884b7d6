"""The examples are counted from 1."""
# caught by: one_epoch
# hint: Indices run from 0 to n − 1.


# %% batches
def batches(n, bs, epoch, seed, replace=False, drop_last=False):
    """Yield the mini-batches of one epoch: int64 arrays of indices, a function of (seed, epoch) alone."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.integers(n, size=n) if replace else rng.permutation(n) + 1
    for start in range(0, n, bs):
        batch = order[start : start + bs]
        if len(batch) == bs or not drop_last:
            yield batch
