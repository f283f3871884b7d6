"""The norms of the arrays are added up."""
# caught by: clipping
# hint: Add the squares of all entries, then one root.


# %% clip-grad-norm
def clip_grad_norm(grads, max_norm):
    """Scale all gradients together so that their norm is at most max_norm, in place; the norm before."""
    norm = sum(math.sqrt(float(np.sum(g**2))) for g in grads.values())
    if norm > max_norm:
        for name in grads:
            grads[name] *= max_norm / norm
    return norm
