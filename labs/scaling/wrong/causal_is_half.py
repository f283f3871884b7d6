"""Causal attention is taken as exactly half."""
# caught by: causal_operations
# hint: The diagonal is there too: S(S+1)/2, not S²/2.


# %% forward-flops
def forward_flops(c, B, S, causal=False):
    """Operations of one forward pass as a dict of ints: qkv, scores, mix, out, mlp, head, total."""
    tokens = B * S
    pairs = S * S // 2 if causal else S * S
    matrices = 3 if c.mlp == "swiglu" else 2
    parts = {
        "qkv": 2 * tokens * c.D * (c.Hq + 2 * c.Hkv) * c.Dh * c.L,
        "scores": 2 * B * c.Hq * pairs * c.Dh * c.L,
        "mix": 2 * B * c.Hq * pairs * c.Dh * c.L,
        "out": 2 * tokens * c.Hq * c.Dh * c.D * c.L,
        "mlp": 2 * tokens * matrices * c.D * c.F * c.L,
        "head": 2 * tokens * c.D * c.V,
    }
    return parts | {"total": sum(parts.values())}
