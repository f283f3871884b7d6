"""An output that is a plain number gets the tangent 1."""
# caught by: jvp_compositions
# hint: A constant does not move: its tangent is 0.


# %% jvp
def jvp(f, x, v):
    """The value of f at x and its derivative along v: (f(x), J v), both float64 arrays of shape (m,)."""
    outputs = [
        y if isinstance(y, Dual) else Dual(y, 1.0)
        for y in f([Dual(float(a), float(t)) for a, t in zip(x, v)])
    ]
    values = np.array([y.value for y in outputs], dtype=np.float64)
    tangents = np.array([y.tangent for y in outputs], dtype=np.float64)
    return values, tangents
