"""f is evaluated again for every row."""
# caught by: jacobian_reverse
# hint: One evaluation records everything; call backward on each of its outputs.


# %% jacobian
def jacobian(f, x, mode):
    """The Jacobian of f at x, shape (m, n), and the number of sweeps: n for "fwd", m for "rev"."""
    n = len(x)
    if mode == "fwd":
        return np.stack([jvp(f, x, unit)[1] for unit in np.eye(n)], axis=1), n
    if mode != "rev":
        raise ValueError(f"mode must be 'fwd' or 'rev', not {mode!r}")
    leaves = [Tensor(value, requires_grad=True) for value in x]
    J = np.zeros((len(f(leaves)), n))
    for i, row in enumerate(J):
        y = f(leaves)[i]
        if isinstance(y, Tensor) and y.requires_grad:
            y.backward()
        row[:] = [0.0 if leaf.grad is None else leaf.grad for leaf in leaves]
        for leaf in leaves:
            leaf.zero_grad()
    return J, len(J)
