"""The norm is the largest entry."""
# caught by: clipping
# hint: The Euclidean norm: the root of the sum of squares.


# %% clip-grad-norm
def clip_grad_norm(grads, max_norm):
    """Scale all gradients together so that their norm is at most max_norm, in place; the norm before."""
    norm = max(float(np.max(np.abs(g), initial=0.0)) for g in grads.values())
    if norm > max_norm:
        for name in grads:
            grads[name] *= max_norm / norm
    return norm
