"""warmup = total is never thought of, and the step after it is taken for lr_max."""
# caught by: schedule_edges
# hint: For t > total return lr_min before anything is divided.


# %% lr-at
def lr_at(t, lr_max, lr_min, warmup, total):
    """The step size of step t = 1, 2, …: linear warm-up, cosine, then flat; a float."""
    if t <= warmup and warmup > 0:
        return lr_max * t / warmup
    share = min(1.0, (t - warmup) / (total - warmup)) if total > warmup else 0.0
    return lr_min + 0.5 * (lr_max - lr_min) * (1.0 + math.cos(math.pi * share))
