"""The gradient of a matrix that was broadcast over a batch is not summed."""
# caught by: matmul_batches
# hint: A matrix that served the whole batch gets the sum over the batch.


# %% matmul-vjp
def matmul_vjp(g, out, a, b):
    """The gradients of `a @ b` with respect to a and b, for all shapes that numpy accepts."""
    rows = a[np.newaxis, :] if a.ndim == 1 else a
    columns = b[:, np.newaxis] if b.ndim == 1 else b
    if b.ndim == 1:
        g = np.expand_dims(g, -1)
    if a.ndim == 1:
        g = np.expand_dims(g, -2)
    da = g @ np.swapaxes(columns, -1, -2)
    db = np.swapaxes(rows, -1, -2) @ g
    if a.ndim == 1:
        da = da.squeeze(-2)
    if b.ndim == 1:
        db = db.squeeze(-1)
    return da, db
