"""A multiply-add is counted as one operation."""
# caught by: forward_operations, causal_operations
# hint: A multiplication and an addition are two operations.


# %% forward-flops
def forward_flops(c, B, S, causal=False):
    """Operations of one forward pass as a dict of ints: qkv, scores, mix, out, mlp, head, total."""
    tokens = B * S
    pairs = S * (S + 1) // 2 if causal else S * S
    matrices = 3 if c.mlp == "swiglu" else 2
    parts = {
        "qkv": tokens * c.D * (c.Hq + 2 * c.Hkv) * c.Dh * c.L,
        "scores": B * c.Hq * pairs * c.Dh * c.L,
        "mix": B * c.Hq * pairs * c.Dh * c.L,
        "out": tokens * c.Hq * c.Dh * c.D * c.L,
        "mlp": tokens * matrices * c.D * c.F * c.L,
        "head": tokens * c.D * c.V,
    }
    return parts | {"total": sum(parts.values())}
