"""`dx[index] += g` adds only one gradient to each place."""
# caught by: gather
# hint: `dx[index] += g` reads and writes every place once; np.add.at adds all.


# %% getitem-vjp
def getitem_vjp(g, out, x, index):
    """The gradient of `x[index]` with respect to x."""
    dx = np.zeros_like(x)
    dx[index] += g
    return dx
