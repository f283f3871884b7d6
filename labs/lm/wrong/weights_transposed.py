"""Weights are multiplied transposed, as torch.nn.Linear stores them."""
# caught by: swiglu_values
# hint: Here weights are (D_in, D_out): x @ W.


# %% swiglu
def swiglu(x, Wa, Wb, Wc):
    """((x Wa) * silu(x Wb)) Wc for x (..., D), Wa and Wb (D, F), Wc (F, D)."""
    gate = x @ Wb.transpose(-1, -2)
    return (x @ Wa.transpose(-1, -2) * gate * torch.sigmoid(gate)) @ Wc.transpose(-1, -2)
