"""The axis that made a row of a vector is left in its gradient."""
# caught by: matmul_vectors
# hint: The gradient of a vector is a vector: take the added axis out again.


# %% matmul-vjp
def matmul_vjp(g, out, a, b):
    """The gradients of `a @ b` with respect to a and b, for all shapes that numpy accepts."""
    rows = a[np.newaxis, :] if a.ndim == 1 else a
    columns = b[:, np.newaxis] if b.ndim == 1 else b
    if b.ndim == 1:
        g = np.expand_dims(g, -1)
    if a.ndim == 1:
        g = np.expand_dims(g, -2)
    da = unbroadcast(g @ np.swapaxes(columns, -1, -2), rows.shape)
    db = unbroadcast(np.swapaxes(rows, -1, -2) @ g, columns.shape)
    return da, db
