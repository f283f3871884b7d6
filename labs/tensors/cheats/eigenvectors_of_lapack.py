"""Asks LAPACK for all eigenvectors instead of iterating."""


# %% top-eig
def top_eig(S, iters, seed):
    values, vectors = np.linalg.eigh(S)
    at = np.argmax(np.abs(values))
    v = vectors[:, at]
    return float(values[at]), v * np.sign(v[np.argmax(np.abs(v))])
