"""The cosine runs from step 0, not from the end of the warm-up."""
# caught by: schedule
# hint: (t − warmup)/(total − warmup) goes from 0 to 1.


# %% lr-at
def lr_at(t, lr_max, lr_min, warmup, total):
    """The step size of step t = 1, 2, …: linear warm-up, cosine, then flat; a float."""
    if t <= warmup and warmup > 0:
        return lr_max * t / warmup
    if t > total:
        return lr_min
    share = t / total
    return lr_min + 0.5 * (lr_max - lr_min) * (1.0 + math.cos(math.pi * share))
