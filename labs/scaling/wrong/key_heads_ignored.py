"""Keys and values are given as many heads as the queries."""
# caught by: parameters, parameters_of_large_models
# hint: With grouped queries W_K and W_V are D × Hkv·Dh: fewer heads, fewer columns.


# %% n-params
def n_params(c):
    """Parameters of the model as a dict of ints: embed, pos, attn, mlp, norm, head, total."""
    queries, keys = c.Hq * c.Dh, c.Hq * c.Dh
    attn = 2 * c.D * queries + 2 * c.D * keys
    matrices_in = 2 if c.mlp == "swiglu" else 1
    mlp = (matrices_in + 1) * c.D * c.F
    if c.bias:
        attn += queries + 2 * keys + c.D
        mlp += matrices_in * c.F + c.D
    parts = {
        "embed": c.V * c.D,
        "pos": c.S * c.D if c.learned_pos else 0,
        "attn": c.L * attn,
        "mlp": c.L * mlp,
        "norm": (2 * c.L + 1) * c.D * (2 if c.bias else 1),
        "head": 0 if c.tied else c.V * c.D,
    }
    return parts | {"total": sum(parts.values())}
