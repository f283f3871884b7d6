"""A and B exchanged."""
# caught by: fitted_law
# hint: A belongs to N and α, B to D and β.


# %% fit
def fit_parametric(N, D, L, inits):
    """The best of the fits that start at the rows of inits (k, 5): {"E", "A", "B", "alpha", "beta"}."""
    results = [minimise(lambda theta: objective(theta, N, D, L), start) for start in inits]
    (a, b, e, alpha, beta), _ = min(results, key=lambda result: result[1])
    found = {"E": np.exp(e), "A": np.exp(b), "B": np.exp(a), "alpha": alpha, "beta": beta}
    return {name: float(value) for name, value in found.items()}
