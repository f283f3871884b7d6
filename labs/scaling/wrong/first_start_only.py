"""Only the first start is tried."""
# caught by: fit_with_failed_runs
# hint: There is more than one valley: try all starts, keep the best.


# %% fit
def fit_parametric(N, D, L, inits):
    """The best of the fits that start at the rows of inits (k, 5): {"E", "A", "B", "alpha", "beta"}."""
    results = [minimise(lambda theta: objective(theta, N, D, L), start) for start in inits[:1]]
    (a, b, e, alpha, beta), _ = min(results, key=lambda result: result[1])
    found = {"E": np.exp(e), "A": np.exp(a), "B": np.exp(b), "alpha": alpha, "beta": beta}
    return {name: float(value) for name, value in found.items()}
