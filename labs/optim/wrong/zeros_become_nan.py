"""Gradients of zero are divided by their norm."""
# caught by: clipping_edges
# hint: If the norm is 0 there is nothing to scale.


# %% clip-grad-norm
def clip_grad_norm(grads, max_norm):
    """Scale all gradients together so that their norm is at most max_norm, in place; the norm before."""
    norm = math.sqrt(sum(float(np.sum(g**2)) for g in grads.values()))
    with np.errstate(all="ignore"):
        for name in grads:
            grads[name] *= (
                np.minimum(1.0, np.float64(max_norm) / norm) if norm else np.float64(norm) / norm
            )
    return norm
