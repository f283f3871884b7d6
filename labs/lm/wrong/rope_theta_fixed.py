"""theta is always 10,000."""
# caught by: rope_positions
# hint: Use the theta that is given.


# %% rope
def rope(x, pos, theta=1e4):
    """x (B, H, S, Dh) with each pair (x[2i], x[2i+1]) turned by pos * 1e4 ** (-2i / Dh)."""
    head_dim = x.shape[-1]
    omega = 1e4 ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)  # (Dh/2)
    angle = pos.to(torch.float64).unsqueeze(-1) * omega  # (S, Dh/2) or (B, S, Dh/2)
    if pos.ndim == 2:
        angle = angle.unsqueeze(1)  # the same for all heads
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)
