"""The damping is added to every entry of H."""
# caught by: newton
# hint: λI is on the diagonal alone.


# %% newton-step
def newton_step(w, g, H, damping=0.0):
    """The point w − (H + damping·I)⁻¹ g, shape (n,)."""
    return w - np.linalg.solve(H + damping, g)
