"""The start is drawn from the global generator."""
# caught by: power_iteration
# hint: Start with np.random.default_rng(seed).standard_normal(n).


# %% top-eig
def top_eig(S, iters, seed):
    """The dominant eigenvalue and unit eigenvector of a symmetric matrix, by power iteration."""
    v = np.random.randn(len(S))
    v = v / np.linalg.norm(v)
    for _ in range(iters):
        w = S @ v
        norm = np.linalg.norm(w)
        if norm == 0.0:
            break
        v = w / norm
    if v[np.argmax(np.abs(v))] < 0:
        v = -v
    return float(v @ S @ v), v
