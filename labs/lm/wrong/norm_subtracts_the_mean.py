"""The mean is subtracted first, as in LayerNorm."""
# caught by: rmsnorm_values
# hint: RMSNorm only scales: no mean is subtracted.


# %% rmsnorm
def rmsnorm(x, g, eps):
    """x (..., D) divided by the root of the mean of its squares, times g (D)."""
    x = x - x.mean(dim=-1, keepdim=True)
    return x / torch.sqrt(x.square().mean(dim=-1, keepdim=True) + eps) * g
