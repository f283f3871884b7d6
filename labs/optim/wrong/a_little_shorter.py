"""The factor is max_norm/(norm + 1e-6), as in torch."""
# caught by: clipping_edges
# hint: Here the factor is exactly max_norm/norm; for tiny gradients it matters.


# %% clip-grad-norm
def clip_grad_norm(grads, max_norm):
    """Scale all gradients together so that their norm is at most max_norm, in place; the norm before."""
    norm = math.sqrt(sum(float(np.sum(g**2)) for g in grads.values()))
    if norm > max_norm:
        for name in grads:
            grads[name] *= max_norm / (norm + 1e-6)
    return norm
