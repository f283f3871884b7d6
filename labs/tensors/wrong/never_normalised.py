"""The vector is normalised only at the end."""
# caught by: dominant_pair
# hint: Powers of an eigenvalue overflow or vanish: normalise in every iteration.


# %% top-eig
def top_eig(S, iters, seed):
    """The dominant eigenvalue and unit eigenvector of a symmetric matrix, by power iteration."""
    v = np.random.default_rng(seed).standard_normal(len(S))
    for _ in range(iters):
        if not (S @ v).any():
            break
        v = S @ v
    v = v / np.linalg.norm(v)
    if v[np.argmax(np.abs(v))] < 0:
        v = -v
    return float(v @ S @ v), v
