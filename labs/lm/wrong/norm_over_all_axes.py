"""The mean is taken over all axes, so tokens change each other."""
# caught by: rmsnorm_values
# hint: Each vector for itself: dim=-1, keepdim=True.


# %% rmsnorm
def rmsnorm(x, g, eps):
    """x (..., D) divided by the root of the mean of its squares, times g (D)."""
    return x / torch.sqrt(x.square().mean() + eps) * g
