"""Every input gets the tangent 1, whatever the direction is."""
# caught by: jvp_survey_example
# hint: The tangent of input k is v[k].


# %% jvp
def jvp(f, x, v):
    """The value of f at x and its derivative along v: (f(x), J v), both float64 arrays of shape (m,)."""
    outputs = [Dual.lift(y) for y in f([Dual(float(a), 1.0) for a, t in zip(x, v)])]
    values = np.array([y.value for y in outputs], dtype=np.float64)
    tangents = np.array([y.tangent for y in outputs], dtype=np.float64)
    return values, tangents
