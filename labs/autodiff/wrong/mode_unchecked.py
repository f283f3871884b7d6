"""An unknown mode is taken for reverse mode."""
# caught by: jacobian_traps
# hint: Anything but "fwd" and "rev" is a ValueError.


# %% jacobian
def jacobian(f, x, mode):
    """The Jacobian of f at x, shape (m, n), and the number of sweeps: n for "fwd", m for "rev"."""
    n = len(x)
    if mode == "fwd":
        return np.stack([jvp(f, x, unit)[1] for unit in np.eye(n)], axis=1), n
    leaves = [Tensor(value, requires_grad=True) for value in x]
    outputs = f(leaves)
    J = np.zeros((len(outputs), n))
    for row, y in zip(J, outputs):
        if isinstance(y, Tensor) and y.requires_grad:
            y.backward()
        row[:] = [0.0 if leaf.grad is None else leaf.grad for leaf in leaves]
        for leaf in leaves:
            leaf.zero_grad()
    return J, len(outputs)
