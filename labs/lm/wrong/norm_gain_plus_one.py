"""The gain is taken to be 1 + g, as in some other models."""
# caught by: rmsnorm_values
# hint: Multiply with g itself.


# %% rmsnorm
def rmsnorm(x, g, eps):
    """x (..., D) divided by the root of the mean of its squares, times g (D)."""
    return x / torch.sqrt(x.square().mean(dim=-1, keepdim=True) + eps) * (1.0 + g)
