"""The budget without its factor 6."""
# caught by: optimum_of_the_law
# hint: 6ND = C.


# %% compute-optimal
def compute_optimal(C, fit):
    """(N, D) with the lowest loss of the law `fit` among those with 6ND = C; floats."""
    alpha, beta = fit["alpha"], fit["beta"]
    ratio = alpha * fit["A"] / (beta * fit["B"])
    N = ratio ** (1 / (alpha + beta)) * C ** (beta / (alpha + beta))
    return float(N), float(C / N)
