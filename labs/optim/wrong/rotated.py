"""The order is rotated, not shuffled."""
# caught by: one_epoch
# hint: Every order has to be equally likely: a permutation.


# %% batches
def batches(n, bs, epoch, seed, replace=False, drop_last=False):
    """Yield the mini-batches of one epoch: int64 arrays of indices, a function of (seed, epoch) alone."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.integers(n, size=n) if replace else (np.arange(n) + rng.integers(n)) % n
    for start in range(0, n, bs):
        batch = order[start : start + bs]
        if len(batch) == bs or not drop_last:
            yield batch
