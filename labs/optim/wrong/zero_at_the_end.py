"""The cosine ends at 0 instead of lr_min."""
# caught by: schedule
# hint: lr_min + ½(lr_max − lr_min)(1 + cos …).


# %% lr-at
def lr_at(t, lr_max, lr_min, warmup, total):
    """The step size of step t = 1, 2, …: linear warm-up, cosine, then flat; a float."""
    if t <= warmup and warmup > 0:
        return lr_max * t / warmup
    if t > total:
        return lr_min
    share = (t - warmup) / (total - warmup)
    return 0.5 * lr_max * (1.0 + math.cos(math.pi * share))
