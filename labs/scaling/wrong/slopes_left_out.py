"""A/B without the exponents."""
# caught by: optimum_of_the_law
# hint: The derivative brings the exponents down: αA and βB.


# %% compute-optimal
def compute_optimal(C, fit):
    """(N, D) with the lowest loss of the law `fit` among those with 6ND = C; floats."""
    alpha, beta = fit["alpha"], fit["beta"]
    ratio = fit["A"] / fit["B"]
    N = ratio ** (1 / (alpha + beta)) * (C / 6) ** (beta / (alpha + beta))
    return float(N), float(C / (6 * N))
