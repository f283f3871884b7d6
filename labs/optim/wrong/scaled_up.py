"""Short gradients are scaled up to max_norm."""
# caught by: clipping_edges
# hint: Only if the norm is larger than max_norm.


# %% clip-grad-norm
def clip_grad_norm(grads, max_norm):
    """Scale all gradients together so that their norm is at most max_norm, in place; the norm before."""
    norm = math.sqrt(sum(float(np.sum(g**2)) for g in grads.values()))
    if norm > 0 and math.isfinite(max_norm):
        for name in grads:
            grads[name] *= max_norm / norm
    return norm
