"""The exponents of N and D exchanged."""
# caught by: optimum_of_the_law
# hint: N grows with C to the power β/(α+β).


# %% compute-optimal
def compute_optimal(C, fit):
    """(N, D) with the lowest loss of the law `fit` among those with 6ND = C; floats."""
    alpha, beta = fit["alpha"], fit["beta"]
    ratio = alpha * fit["A"] / (beta * fit["B"])
    N = ratio ** (1 / (alpha + beta)) * (C / 6) ** (alpha / (alpha + beta))
    return float(N), float(C / (6 * N))
