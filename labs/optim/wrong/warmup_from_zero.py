"""The warm-up counts from 0: the first step has no size."""
# caught by: schedule
# hint: t/warmup with t = 1 in the first step.


# %% lr-at
def lr_at(t, lr_max, lr_min, warmup, total):
    """The step size of step t = 1, 2, …: linear warm-up, cosine, then flat; a float."""
    if t <= warmup and warmup > 0:
        return lr_max * (t - 1) / warmup
    if t > total:
        return lr_min
    share = (t - warmup) / (total - warmup)
    return lr_min + 0.5 * (lr_max - lr_min) * (1.0 + math.cos(math.pi * share))
