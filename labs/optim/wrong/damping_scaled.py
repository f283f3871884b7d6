"""The damping multiplies the diagonal of H, as Levenberg and Marquardt do it."""
# caught by: newton
# hint: Here λ is added to the diagonal: H + λI.


# %% newton-step
def newton_step(w, g, H, damping=0.0):
    """The point w − (H + damping·I)⁻¹ g, shape (n,)."""
    return w - np.linalg.solve(H + damping * np.diag(np.diag(H)), g)
