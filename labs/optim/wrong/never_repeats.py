"""replace=True shuffles, too."""
# caught by: with_replacement
# hint: With replacement every index is drawn from all n.


# %% batches
def batches(n, bs, epoch, seed, replace=False, drop_last=False):
    """Yield the mini-batches of one epoch: int64 arrays of indices, a function of (seed, epoch) alone."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(n)
    for start in range(0, n, bs):
        batch = order[start : start + bs]
        if len(batch) == bs or not drop_last:
            yield batch
