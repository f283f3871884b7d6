"""The norm is calculated in float32, as is done for half precision."""
# caught by: rmsnorm_values
# hint: x.float() halves the digits of a float64 input: stay in the dtype of x.


# %% rmsnorm
def rmsnorm(x, g, eps):
    """x (..., D) divided by the root of the mean of its squares, times g (D)."""
    wide = x.float()
    wide = wide * torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + eps)
    return wide.to(x.dtype) * g
