"""Where an index occurs twice the last gradient wins."""
# caught by: gather
# hint: Add what arrives: np.add.at.


# %% getitem-vjp
def getitem_vjp(g, out, x, index):
    """The gradient of `x[index]` with respect to x."""
    dx = np.zeros_like(x)
    dx[index] = g
    return dx
