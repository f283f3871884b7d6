"""The step is H g."""
# caught by: newton
# hint: Solve H d = g, and subtract d.


# %% newton-step
def newton_step(w, g, H, damping=0.0):
    """The point w − (H + damping·I)⁻¹ g, shape (n,)."""
    return w - (H + damping * np.eye(len(w))) @ g
