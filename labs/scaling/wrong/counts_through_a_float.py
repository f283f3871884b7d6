"""The counts are calculated with floats and cut to integers at the end."""
# caught by: operations_of_large_models
# hint: A float holds 53 bits: beyond 9·10¹⁵ it has no room for the last digits. Multiply ints, and divide with // where something has to be divided.


# %% forward-flops
def forward_flops(c, B, S, causal=False):
    """Operations of one forward pass as a dict of ints: qkv, scores, mix, out, mlp, head, total."""
    tokens = B * S
    pairs = S * (S + 1) // 2 if causal else S * S
    matrices = 3 if c.mlp == "swiglu" else 2
    parts = {
        "qkv": 2 * tokens * c.D * (c.Hq + 2 * c.Hkv) * c.Dh * c.L,
        "scores": 2 * B * c.Hq * pairs * c.Dh * c.L,
        "mix": 2 * B * c.Hq * pairs * c.Dh * c.L,
        "out": 2 * tokens * c.Hq * c.Dh * c.D * c.L,
        "mlp": 2 * tokens * matrices * c.D * c.F * c.L,
        "head": 2 * tokens * c.D * c.V,
    }
    parts = {k: int(float(v) * 1.0) for k, v in parts.items()}
    return parts | {"total": sum(parts.values())}
