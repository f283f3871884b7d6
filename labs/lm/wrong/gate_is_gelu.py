"""The gate goes through GELU."""
# caught by: swiglu_values
# hint: SwiGLU has silu(z) = z·sigmoid(z), GEGLU has GELU.


# %% swiglu
def swiglu(x, Wa, Wb, Wc):
    """((x Wa) * silu(x Wb)) Wc for x (..., D), Wa and Wb (D, F), Wc (F, D)."""
    return (x @ Wa * torch.nn.functional.gelu(x @ Wb)) @ Wc
