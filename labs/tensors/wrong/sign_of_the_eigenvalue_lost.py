"""The eigenvalue is the length of S v."""
# caught by: power_iteration, dominant_pair
# hint: The norm is never negative: use the Rayleigh quotient vᵀSv.


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
    if v[np.argmax(np.abs(v))] < 0:
        v = -v
    return float(np.linalg.norm(S @ v)), v
