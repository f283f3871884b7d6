"""Without a warm-up the first step still has one."""
# caught by: schedule_edges
# hint: warmup = 0: the cosine begins at once.


# %% lr-at
def lr_at(t, lr_max, lr_min, warmup, total):
    """The step size of step t = 1, 2, …: linear warm-up, cosine, then flat; a float."""
    warmup = max(warmup, 1)
    if t <= warmup:
        return lr_max * t / warmup
    if t >= total:
        return lr_min
    share = (t - warmup) / (total - warmup)
    return lr_min + 0.5 * (lr_max - lr_min) * (1.0 + math.cos(math.pi * share))
