"""The parabola is fitted to the logarithm of the loss."""
# caught by: valley
# hint: L itself, against ln N.


# %% isoflop
def isoflop_optimum(N, L):
    """The model size at the bottom of the parabola through the losses L (n,) over ln N (n,); a float."""
    x = np.log(np.asarray(N, dtype=np.float64))
    middle = x.mean()  # centred, the columns of the least-squares problem are far from parallel
    p2, p1, _ = np.polyfit(x - middle, np.log(np.asarray(L, dtype=np.float64)), 2)
    return float(np.exp(middle - p1 / (2 * p2)))
