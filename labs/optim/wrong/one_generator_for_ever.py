"""The generator is made once; what it gives depends on what was drawn before."""
# caught by: drawn_again
# hint: The same (seed, epoch) has to give the same order: a new generator in every call.


# %% batches
def batches(n, bs, epoch, seed, replace=False, drop_last=False):
    """Yield the mini-batches of one epoch: int64 arrays of indices, a function of (seed, epoch) alone."""
    rng = batches.__dict__.setdefault("rng", np.random.default_rng([seed, epoch]))
    order = rng.integers(n, size=n) if replace else rng.permutation(n)
    for start in range(0, n, bs):
        batch = order[start : start + bs]
        if len(batch) == bs or not drop_last:
            yield batch
