"""No gradient passes through the length."""
# caught by: norm_and_gate_edges
# hint: The length depends on x: without its gradient the norm is a mere scaling.


# %% rmsnorm
def rmsnorm(x, g, eps):
    """x (..., D) divided by the root of the mean of its squares, times g (D)."""
    return x / torch.sqrt(x.square().mean(dim=-1, keepdim=True) + eps).detach() * g
