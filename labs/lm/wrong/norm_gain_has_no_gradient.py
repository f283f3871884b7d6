"""The gain is cut off from the graph."""
# caught by: norm_and_gate_edges
# hint: No .data and no detach(): the gain is learned.


# %% rmsnorm
def rmsnorm(x, g, eps):
    """x (..., D) divided by the root of the mean of its squares, times g (D)."""
    return x / torch.sqrt(x.square().mean(dim=-1, keepdim=True) + eps) * g.data
