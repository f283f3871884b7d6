"""The squares are summed, not averaged."""
# caught by: rmsnorm_values
# hint: Divide the sum of the squares by D: the result has length about √D, not 1.


# %% rmsnorm
def rmsnorm(x, g, eps):
    """x (..., D) divided by the root of the mean of its squares, times g (D)."""
    return x / torch.sqrt(x.square().sum(dim=-1, keepdim=True) + eps) * g
