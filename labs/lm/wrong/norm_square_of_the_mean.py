"""The square of the mean stands under the root, as one slide can be read."""
# caught by: rmsnorm_values
# hint: The mean of the squares, not the square of the mean: mean(x²) + eps.


# %% rmsnorm
def rmsnorm(x, g, eps):
    """x (..., D) divided by the root of the mean of its squares, times g (D)."""
    return x / torch.sqrt(x.mean(dim=-1, keepdim=True).square() + eps) * g
