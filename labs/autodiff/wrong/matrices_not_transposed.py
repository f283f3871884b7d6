"""The factors are not transposed."""
# caught by: matmul_matrices
# hint: Ā = G Bᵀ: the shapes fit without the transpose only if the matrices are square.


# %% matmul-vjp
def matmul_vjp(g, out, a, b):
    """The gradients of `a @ b` with respect to a and b, for all shapes that numpy accepts."""
    rows = a[np.newaxis, :] if a.ndim == 1 else a
    columns = b[:, np.newaxis] if b.ndim == 1 else b
    if b.ndim == 1:
        g = np.expand_dims(g, -1)
    if a.ndim == 1:
        g = np.expand_dims(g, -2)
    da = unbroadcast(g @ columns, rows.shape)
    db = unbroadcast(rows @ g, columns.shape)
    return da.reshape(a.shape), db.reshape(b.shape)
