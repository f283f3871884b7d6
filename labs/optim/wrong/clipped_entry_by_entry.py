"""Every entry is clipped by itself."""
# caught by: clipping
# hint: Scale all entries by one factor: np.clip bends the direction.


# %% clip-grad-norm
def clip_grad_norm(grads, max_norm):
    """Scale all gradients together so that their norm is at most max_norm, in place; the norm before."""
    norm = math.sqrt(sum(float(np.sum(g**2)) for g in grads.values()))
    if norm > max_norm:
        for name in grads:
            np.clip(grads[name], -max_norm, max_norm, out=grads[name])
    return norm
