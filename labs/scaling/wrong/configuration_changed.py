"""The hidden width of the configuration is doubled in place for SwiGLU."""
# caught by: parameters_of_large_models
# hint: The configuration belongs to the caller, who may ask again: calculate with a local variable, do not assign to c.F.


# %% n-params
def n_params(c):
    """Parameters of the model as a dict of ints: embed, pos, attn, mlp, norm, head, total."""
    c.L = max(c.L, 1)
    c.F = c.F * (2 if c.mlp == "swiglu" else 1)
    queries, keys = c.Hq * c.Dh, c.Hkv * c.Dh
    attn = 2 * c.D * queries + 2 * c.D * keys
    mlp = c.D * c.F * (1.5 if c.mlp == "swiglu" else 2)
    if c.bias:
        attn += queries + 2 * keys + c.D
        mlp += c.F + c.D
    parts = {
        "embed": c.V * c.D,
        "pos": c.S * c.D if c.learned_pos else 0,
        "attn": c.L * attn,
        "mlp": int(c.L * mlp),
        "norm": (2 * c.L + 1) * c.D * (2 if c.bias else 1),
        "head": 0 if c.tied else c.V * c.D,
    }
    return parts | {"total": sum(parts.values())}
