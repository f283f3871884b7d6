"""Every array is clipped by its own norm."""
# caught by: clipping
# hint: One norm for all: the direction has to stay.


# %% clip-grad-norm
def clip_grad_norm(grads, max_norm):
    """Scale all gradients together so that their norm is at most max_norm, in place; the norm before."""
    for name in grads:
        own = math.sqrt(float(np.sum(grads[name] ** 2)))
        if own > max_norm:
            grads[name] *= max_norm / own
    return math.sqrt(sum(float(np.sum(g**2)) for g in grads.values()))
