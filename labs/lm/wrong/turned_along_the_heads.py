"""RoPE is applied before the transposition, so heads are taken for positions."""
# caught by: block_values
# hint: rope wants (B, H, S, Dh): transpose first.


# %% block
def block(x, p, cfg):
    """One pre-norm layer, (B, S, D) -> (B, S, D), with causal attention at positions 0 to S - 1."""
    B, S, D = x.shape
    heads, kv_heads = cfg["heads"], cfg["kv_heads"]
    normed = rmsnorm(x, p["attn_norm"], cfg["eps"])
    q = (normed @ p["wq"]).view(B, S, heads, D // heads)
    k = (normed @ p["wk"]).view(B, S, kv_heads, D // heads)
    v = (normed @ p["wv"]).view(B, S, kv_heads, D // heads).transpose(1, 2)
    pos = torch.arange(S)
    mixed = attention(
        rope(q, pos, cfg["theta"]).transpose(1, 2),
        rope(k, pos, cfg["theta"]).transpose(1, 2),
        v,
        causal=True,
    )
    h = x + mixed.transpose(1, 2).reshape(B, S, D) @ p["wo"]
    return h + swiglu(rmsnorm(h, p["mlp_norm"], cfg["eps"]), p["wa"], p["wb"], p["wc"])
