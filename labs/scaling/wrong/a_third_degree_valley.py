"""A polynomial of the third degree is fitted."""
# caught by: valley
# hint: Three coefficients: np.polyfit(…, 2). A third degree follows the noise, and its last three coefficients are no parabola.


# %% isoflop
def isoflop_optimum(N, L):
    """The model size at the bottom of the parabola through the losses L (n,) over ln N (n,); a float."""
    x = np.log(np.asarray(N, dtype=np.float64))
    middle = x.mean()  # centred, the columns of the least-squares problem are far from parallel
    p2, p1, _ = np.polyfit(x - middle, np.asarray(L, dtype=np.float64), 3)[1:]
    return float(np.exp(middle - p1 / (2 * p2)))
