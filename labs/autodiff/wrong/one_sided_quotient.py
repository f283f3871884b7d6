"""A one-sided difference quotient with the step that is best for it."""
# caught by: gradcheck_accepts
# hint: A one-sided quotient has an error of order h: use f(x + h) and f(x − h).


# %% gradcheck
def gradcheck(f, xs, eps=None):
    """The largest relative difference between the gradients of f and central differences."""
    eps = np.finfo(np.float64).eps ** (1 / 2) if eps is None else eps
    tensors = [Tensor(x, requires_grad=True) for x in xs]
    out = f(*tensors)
    if out.requires_grad:
        out.backward()
    errors = [0.0]
    for k, given in enumerate(xs):
        x = np.array(given, dtype=np.float64)
        a = np.zeros_like(x) if tensors[k].grad is None else tensors[k].grad
        d = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            h = eps * max(1.0, abs(x[index]))
            values = []
            for moved in (x[index] + h, x[index]):
                shifted = [Tensor(other) for other in xs]
                shifted[k].data[index] = moved
                values.append(f(*shifted).data.item())
            d[index] = (values[0] - values[1]) / h
        scale = max(np.max(np.abs(a), initial=0.0), np.max(np.abs(d), initial=0.0))
        if scale > 0:
            errors.append(float(np.max(np.abs(a - d)) / scale))
    return max(errors)
