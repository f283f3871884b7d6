"""Twenty tokens for each parameter, always."""
# caught by: optimum_of_the_law, best_sizes
# hint: That ratio is a result for one set of constants; minimise the law that you are given.


# %% compute-optimal
def compute_optimal(C, fit):
    """(N, D) with the lowest loss of the law `fit` among those with 6ND = C; floats."""
    N = (C / 6 / 20) ** 0.5
    return float(N), float(C / (6 * N))
