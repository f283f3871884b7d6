"""The warm-up divides by warmup + 1."""
# caught by: schedule
# hint: At t = warmup the step size is lr_max.


# %% lr-at
def lr_at(t, lr_max, lr_min, warmup, total):
    """The step size of step t = 1, 2, …: linear warm-up, cosine, then flat; a float."""
    if t <= warmup and warmup > 0:
        return lr_max * t / (warmup + 1)
    if t > total:
        return lr_min
    share = (t - warmup) / (total - warmup)
    return lr_min + 0.5 * (lr_max - lr_min) * (1.0 + math.cos(math.pi * share))
