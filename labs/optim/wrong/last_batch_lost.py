"""The short batch at the end is always dropped."""
# caught by: one_epoch
# hint: Only with drop_last=True: otherwise every example occurs.


# %% batches
def batches(n, bs, epoch, seed, replace=False, drop_last=False):
    """Yield the mini-batches of one epoch: int64 arrays of indices, a function of (seed, epoch) alone."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.integers(n, size=n) if replace else rng.permutation(n)
    for start in range(0, n, bs):
        batch = order[start : start + bs]
        if len(batch) == bs:
            yield batch
