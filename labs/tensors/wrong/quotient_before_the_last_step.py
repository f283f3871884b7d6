"""The eigenvalue is that of the vector before the last multiplication."""
# caught by: power_iteration
# hint: The Rayleigh quotient of the vector that is returned.


# %% top-eig
def top_eig(S, iters, seed):
    """The dominant eigenvalue and unit eigenvector of a symmetric matrix, by power iteration."""
    v = np.random.default_rng(seed).standard_normal(len(S))
    v = v / np.linalg.norm(v)
    value = 0.0
    for _ in range(iters):
        w = S @ v
        value = float(v @ w)
        if not w.any():
            break
        v = w / np.linalg.norm(w)
    return value, v * np.sign(v[np.argmax(np.abs(v))])
