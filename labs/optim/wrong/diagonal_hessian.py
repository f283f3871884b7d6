"""Only the diagonal of the Hessian is used."""
# caught by: newton
# hint: Solve with the whole matrix: np.linalg.solve.


# %% newton-step
def newton_step(w, g, H, damping=0.0):
    """The point w − (H + damping·I)⁻¹ g, shape (n,)."""
    return w - g / (np.diag(H) + damping)
