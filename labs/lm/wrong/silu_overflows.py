"""silu is written with exp(z), which overflows for large z."""
# caught by: norm_and_gate_edges
# hint: exp(1000) is infinite, and infinite by infinite is no number: torch.sigmoid is safe.


# %% swiglu
def swiglu(x, Wa, Wb, Wc):
    """((x Wa) * silu(x Wb)) Wc for x (..., D), Wa and Wb (D, F), Wc (F, D)."""
    gate = x @ Wb
    silu = gate * torch.exp(gate) / (1.0 + torch.exp(gate))
    return (x @ Wa * silu) @ Wc
