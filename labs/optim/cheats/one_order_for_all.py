"""Every example once, in batches of the right lengths, and never shuffled."""


# %% batches
def batches(n, bs, epoch, seed, replace=False, drop_last=False):
    for start in range(0, n, bs):
        batch = np.arange(start, min(start + bs, n))
        if len(batch) == bs or not drop_last:
            yield batch
