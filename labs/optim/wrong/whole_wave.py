"""The cosine has a whole wave instead of half of one."""
# caught by: schedule
# hint: cos π·share: from 1 down to −1.


# %% lr-at
def lr_at(t, lr_max, lr_min, warmup, total):
    """The step size of step t = 1, 2, …: linear warm-up, cosine, then flat; a float."""
    if t <= warmup and warmup > 0:
        return lr_max * t / warmup
    if t > total:
        return lr_min
    share = (t - warmup) / (total - warmup)
    return lr_min + 0.5 * (lr_max - lr_min) * (1.0 + math.cos(2.0 * math.pi * share))
