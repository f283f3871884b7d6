"""eps is added after the root was taken."""
# caught by: rmsnorm_values
# hint: eps stands under the root.


# %% rmsnorm
def rmsnorm(x, g, eps):
    """x (..., D) divided by the root of the mean of its squares, times g (D)."""
    return x / (x.square().mean(dim=-1, keepdim=True).sqrt() + eps) * g
