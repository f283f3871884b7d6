"""drop_last does nothing."""
# caught by: one_epoch
# hint: With drop_last=True a short batch at the end is left out.


# %% batches
def batches(n, bs, epoch, seed, replace=False, drop_last=False):
    """Yield the mini-batches of one epoch: int64 arrays of indices, a function of (seed, epoch) alone."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.integers(n, size=n) if replace else rng.permutation(n)
    for start in range(0, n, bs):
        batch = order[start : start + bs]
        yield batch
