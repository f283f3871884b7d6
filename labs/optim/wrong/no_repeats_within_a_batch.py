"""With replacement means here that batches may share examples, but a batch never holds one twice."""
# caught by: with_replacement
# hint: Every index is independent of all others, also of those in its batch.


# %% batches
def batches(n, bs, epoch, seed, replace=False, drop_last=False):
    """Yield the mini-batches of one epoch: int64 arrays of indices, a function of (seed, epoch) alone."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.integers(n, size=n) if replace else rng.permutation(n)
    for start in range(0, n, bs):
        batch = order[start : start + bs]
        if replace:
            batch = rng.choice(n, size=len(batch), replace=False)
        if len(batch) == bs or not drop_last:
            yield batch
