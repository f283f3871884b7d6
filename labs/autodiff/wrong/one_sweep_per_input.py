"""jvp runs f once for each input and adds the columns up."""
# caught by: jvp_survey_example
# hint: All tangents travel in one evaluation of f.


# %% jvp
def jvp(f, x, v):
    """The value of f at x and its derivative along v: (f(x), J v), both float64 arrays of shape (m,)."""
    tangents = 0.0
    for k in range(len(x)):
        unit = [1.0 if j == k else 0.0 for j in range(len(x))]
        outputs = [Dual.lift(y) for y in f([Dual(float(a), t) for a, t in zip(x, unit)])]
        tangents = tangents + v[k] * np.array([y.tangent for y in outputs], dtype=np.float64)
    values = np.array([y.value for y in outputs], dtype=np.float64)
    return values, tangents
