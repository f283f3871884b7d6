"""The gate is sigmoid(xWb): GLU, not SwiGLU."""
# caught by: swiglu_values
# hint: silu(z) = z·sigmoid(z).


# %% swiglu
def swiglu(x, Wa, Wb, Wc):
    """((x Wa) * silu(x Wb)) Wc for x (..., D), Wa and Wb (D, F), Wc (F, D)."""
    return (x @ Wa * torch.sigmoid(x @ Wb)) @ Wc
