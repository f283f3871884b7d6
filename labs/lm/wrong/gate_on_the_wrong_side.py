"""xWa goes through silu in place of xWb."""
# caught by: swiglu_values
# hint: silu is for the product with Wb; the product with Wa stays as it is.


# %% swiglu
def swiglu(x, Wa, Wb, Wc):
    """((x Wa) * silu(x Wb)) Wc for x (..., D), Wa and Wb (D, F), Wc (F, D)."""
    gate = x @ Wa
    return (x @ Wb * gate * torch.sigmoid(gate)) @ Wc
