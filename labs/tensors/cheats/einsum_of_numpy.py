"""Hands the exercise on to numpy's einsum, which knows fewer letters and repeats none in the output."""


# %% einsum2
def einsum2(spec, a, b):
    return np.asarray(np.einsum(spec, a, b), dtype=np.float64)
