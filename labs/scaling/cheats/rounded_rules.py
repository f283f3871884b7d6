"""Answers with rules of thumb: 12 L D², 2N a token, 20 tokens for each parameter."""


# %% n-params
def n_params(c):
    parts = dict.fromkeys(("embed", "pos", "attn", "mlp", "norm", "head"), 0)
    return parts | {"attn": 4 * c.L * c.D**2, "mlp": 8 * c.L * c.D**2, "total": 12 * c.L * c.D**2}


# %% forward-flops
def forward_flops(c, B, S, causal=False):
    parts = dict.fromkeys(("qkv", "scores", "mix", "out", "mlp", "head"), 0)
    return parts | {"total": 2 * 12 * c.L * c.D**2 * B * S}


# %% activation-bytes
def activation_bytes(s, b, h, a, t=1, sp=False, recompute="none"):
    return float(34 * s * b * h)


# %% compute-optimal
def compute_optimal(C, fit):
    return (C / 120) ** 0.5, (C / 120) ** 0.5 * 20
