"""A matrix of zeros is divided by its length 0."""
# caught by: deflation
# hint: If S v = 0, stop: v is an eigenvector with the eigenvalue 0.


# %% top-eig
def top_eig(S, iters, seed):
    """The dominant eigenvalue and unit eigenvector of a symmetric matrix, by power iteration."""
    v = np.random.default_rng(seed).standard_normal(len(S))
    v = v / np.linalg.norm(v)
    for _ in range(iters):
        w = S @ v
        norm = np.linalg.norm(w)
        v = w / norm
    if v[np.argmax(np.abs(v))] < 0:
        v = -v
    return float(v @ S @ v), v
