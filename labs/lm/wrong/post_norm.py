"""The norms stand after the branches, as in the first transformer."""
# caught by: block_values
# hint: Pre-norm: each branch normalises what it reads; the sum is not normalised.


# %% block
def block(x, p, cfg):
    """One pre-norm layer, (B, S, D) -> (B, S, D), with causal attention at positions 0 to S - 1."""
    B, S, D = x.shape
    heads, kv_heads = cfg["heads"], cfg["kv_heads"]
    normed = x
    q = (normed @ p["wq"]).view(B, S, heads, D // heads).transpose(1, 2)  # (B, H, S, Dh)
    k = (normed @ p["wk"]).view(B, S, kv_heads, D // heads).transpose(1, 2)
    v = (normed @ p["wv"]).view(B, S, kv_heads, D // heads).transpose(1, 2)
    pos = torch.arange(S)
    mixed = attention(rope(q, pos, cfg["theta"]), rope(k, pos, cfg["theta"]), v, causal=True)
    h = rmsnorm(x + mixed.transpose(1, 2).reshape(B, S, D) @ p["wo"], p["attn_norm"], cfg["eps"])
    return rmsnorm(h + swiglu(h, p["wa"], p["wb"], p["wc"]), p["mlp_norm"], cfg["eps"])
