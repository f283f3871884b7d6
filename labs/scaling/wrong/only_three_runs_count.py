"""The parabola goes through the lowest run and its two neighbours."""
# caught by: valley, best_sizes
# hint: All runs count: least squares through three points is no average, and the lowest run may owe its place to noise.


# %% isoflop
def isoflop_optimum(N, L):
    """The model size at the bottom of the parabola through the losses L (n,) over ln N (n,); a float."""
    x = np.log(np.asarray(N, dtype=np.float64))
    L = np.asarray(L)
    o = np.argsort(x)
    x, L = x[o], L[o]
    k = min(max(int(L.argmin()), 1), len(L) - 2)
    x, L = x[k - 1 : k + 2], L[k - 1 : k + 2]
    middle = x.mean()  # centred, the columns of the least-squares problem are far from parallel
    p2, p1, _ = np.polyfit(x - middle, np.asarray(L, dtype=np.float64), 2)
    return float(np.exp(middle - p1 / (2 * p2)))
