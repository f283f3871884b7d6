"""The vertex without its 2."""
# caught by: valley
# hint: 2p₂x + p₁ = 0 at the lowest point.


# %% isoflop
def isoflop_optimum(N, L):
    """The model size at the bottom of the parabola through the losses L (n,) over ln N (n,); a float."""
    x = np.log(np.asarray(N, dtype=np.float64))
    middle = x.mean()  # centred, the columns of the least-squares problem are far from parallel
    p2, p1, _ = np.polyfit(x - middle, np.asarray(L, dtype=np.float64), 2)
    return float(np.exp(middle - p1 / p2))
