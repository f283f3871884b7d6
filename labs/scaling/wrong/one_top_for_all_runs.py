"""One maximum over all runs is subtracted before exponentiating."""
# caught by: value_of_the_fit, gradient_of_the_fit
# hint: The maximum belongs to each run: z.max(axis=0). With one for all, the powers of the other runs vanish and the logarithm is −∞.

# %% objective
DELTA = 1e-3


def objective(theta, N, D, L):
    """(value, gradient (5,)) of the Huber loss of ln L, summed over runs N, D, L of shape (n,)."""
    a, b, e, alpha, beta = theta
    log_n, log_d = np.log(N), np.log(D)
    z = np.stack([a - alpha * log_n, b - beta * log_d, np.full(len(log_n), e)])
    top = z.max()
    p = np.exp(z - top)
    total = p.sum(axis=0)
    r = top + np.log(total) - np.log(L)
    p /= total
    w = np.clip(r, -DELTA, DELTA)
    value = np.where(np.abs(r) <= DELTA, 0.5 * r * r, DELTA * (np.abs(r) - 0.5 * DELTA)).sum()
    gradient = [w @ p[0], w @ p[1], w @ p[2], -(w * p[0]) @ log_n, -(w * p[1]) @ log_d]
    return float(value), np.array(gradient)
