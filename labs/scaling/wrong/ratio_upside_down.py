"""βB/αA in place of αA/βB."""
# caught by: optimum_of_the_law
# hint: If A is larger, size helps more: N grows with αA.


# %% compute-optimal
def compute_optimal(C, fit):
    """(N, D) with the lowest loss of the law `fit` among those with 6ND = C; floats."""
    alpha, beta = fit["alpha"], fit["beta"]
    ratio = beta * fit["B"] / (alpha * fit["A"])
    N = ratio ** (1 / (alpha + beta)) * (C / 6) ** (beta / (alpha + beta))
    return float(N), float(C / (6 * N))
