"""After the last step the cosine goes on and rises again."""
# caught by: schedule
# hint: For t > total the step size stays lr_min.


# %% lr-at
def lr_at(t, lr_max, lr_min, warmup, total):
    """The step size of step t = 1, 2, …: linear warm-up, cosine, then flat; a float."""
    if t <= warmup and warmup > 0:
        return lr_max * t / warmup
    share = (t - warmup) / max(total - warmup, 1)
    return lr_min + 0.5 * (lr_max - lr_min) * (1.0 + math.cos(math.pi * share))
