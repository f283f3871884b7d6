"""The values are turned as well."""
# caught by: block_values
# hint: Only queries and keys are turned: values carry content, not places.


# %% block
def block(x, p, cfg):
    """One pre-norm layer, (B, S, D) -> (B, S, D), with causal attention at positions 0 to S - 1."""
    B, S, D = x.shape
    heads, kv_heads = cfg["heads"], cfg["kv_heads"]
    normed = rmsnorm(x, p["attn_norm"], cfg["eps"])
    q = (normed @ p["wq"]).view(B, S, heads, D // heads).transpose(1, 2)  # (B, H, S, Dh)
    k = (normed @ p["wk"]).view(B, S, kv_heads, D // heads).transpose(1, 2)
    v = (normed @ p["wv"]).view(B, S, kv_heads, D // heads).transpose(1, 2)
    pos = torch.arange(S)
    mixed = attention(
        rope(q, pos, cfg["theta"]),
        rope(k, pos, cfg["theta"]),
        rope(v, pos, cfg["theta"]),
        causal=True,
    )
    h = x + mixed.transpose(1, 2).reshape(B, S, D) @ p["wo"]
    return h + swiglu(rmsnorm(h, p["mlp_norm"], cfg["eps"]), p["wa"], p["wb"], p["wc"])
