"""The damping does nothing."""
# caught by: newton
# hint: Solve (H + λI) d = g.


# %% newton-step
def newton_step(w, g, H, damping=0.0):
    """The point w − (H + damping·I)⁻¹ g, shape (n,)."""
    return w - np.linalg.lstsq(H, g, rcond=None)[0]
