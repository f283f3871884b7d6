"""The decay is a straight line."""
# caught by: schedule
# hint: Half a wave of a cosine, flat at both ends.


# %% lr-at
def lr_at(t, lr_max, lr_min, warmup, total):
    """The step size of step t = 1, 2, …: linear warm-up, cosine, then flat; a float."""
    if t <= warmup and warmup > 0:
        return lr_max * t / warmup
    if t > total:
        return lr_min
    share = (t - warmup) / (total - warmup)
    return lr_min + (lr_max - lr_min) * (1.0 - share)
