"""The first component is made positive."""
# caught by: power_iteration
# hint: It is the component of largest magnitude that has to be positive.


# %% top-eig
def top_eig(S, iters, seed):
    """The dominant eigenvalue and unit eigenvector of a symmetric matrix, by power iteration."""
    v = np.random.default_rng(seed).standard_normal(len(S))
    v = v / np.linalg.norm(v)
    for _ in range(iters):
        w = S @ v
        norm = np.linalg.norm(w)
        if norm == 0.0:
            break
        v = w / norm
    if v[0] < 0:
        v = -v
    return float(v @ S @ v), v
