"""The columns are split into heads by a reshape straight to (B, H, S, Dh)."""
# caught by: block_values
# hint: view(B, S, H, Dh) first, then transpose(1, 2).


# %% block
def block(x, p, cfg):
    """One pre-norm layer, (B, S, D) -> (B, S, D), with causal attention at positions 0 to S - 1."""
    B, S, D = x.shape
    heads, kv_heads = cfg["heads"], cfg["kv_heads"]
    normed = rmsnorm(x, p["attn_norm"], cfg["eps"])
    q = (normed @ p["wq"]).reshape(B, heads, S, D // heads)  # (B, H, S, Dh)
    k = (normed @ p["wk"]).reshape(B, kv_heads, S, D // heads)
    v = (normed @ p["wv"]).reshape(B, kv_heads, S, D // heads)
    pos = torch.arange(S)
    mixed = attention(rope(q, pos, cfg["theta"]), rope(k, pos, cfg["theta"]), v, causal=True)
    h = x + mixed.transpose(1, 2).reshape(B, S, D) @ p["wo"]
    return h + swiglu(rmsnorm(h, p["mlp_norm"], cfg["eps"]), p["wa"], p["wb"], p["wc"])
