"""The parabola is fitted in N."""
# caught by: valley
# hint: Sizes spread over powers of ten: fit in ln N.


# %% isoflop
def isoflop_optimum(N, L):
    """The model size at the bottom of the parabola through the losses L (n,) over ln N (n,); a float."""
    x = np.asarray(N, dtype=np.float64)
    middle = x.mean()  # centred, the columns of the least-squares problem are far from parallel
    p2, p1, _ = np.polyfit(x - middle, np.asarray(L, dtype=np.float64), 2)
    return float(middle - p1 / (2 * p2))
