"""The step is returned, not the point after it."""
# caught by: newton
# hint: w − (H + λI)⁻¹g.


# %% newton-step
def newton_step(w, g, H, damping=0.0):
    """The point w − (H + damping·I)⁻¹ g, shape (n,)."""
    return np.linalg.solve(H + damping * np.eye(len(w)), g)
