"""The generator is seeded with 1000·seed + epoch."""
# caught by: drawn_again
# hint: (1, 1000) and (2, 0) collide: default_rng([seed, epoch]).


# %% batches
def batches(n, bs, epoch, seed, replace=False, drop_last=False):
    """Yield the mini-batches of one epoch: int64 arrays of indices, a function of (seed, epoch) alone."""
    rng = np.random.default_rng(1000 * seed + epoch)
    order = rng.integers(n, size=n) if replace else rng.permutation(n)
    for start in range(0, n, bs):
        batch = order[start : start + bs]
        if len(batch) == bs or not drop_last:
            yield batch
