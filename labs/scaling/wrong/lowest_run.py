"""The size of the lowest run."""
# caught by: valley
# hint: The bottom of the parabola lies between runs.


# %% isoflop
def isoflop_optimum(N, L):
    """The model size at the bottom of the parabola through the losses L (n,) over ln N (n,); a float."""
    x = np.log(np.asarray(N, dtype=np.float64))
    middle = x.mean()  # centred, the columns of the least-squares problem are far from parallel
    return float(np.exp(x[np.argmin(L)] + 0 * middle))
