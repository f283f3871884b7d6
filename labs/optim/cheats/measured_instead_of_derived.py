"""Rates from a grid of experiments and variances from random batches, in place of the formulas."""


# %% minibatch-variance
def minibatch_variance(per_example_grads, B, replace):
    rng, mean = np.random.default_rng(0), per_example_grads.mean(axis=0)
    draws = [rng.choice(len(per_example_grads), size=B, replace=replace) for _ in range(2000)]
    means = np.array([per_example_grads[draw].mean(axis=0) for draw in draws])
    return float(np.mean(np.sum((means - mean) ** 2, axis=1)))


# %% rates
def optimal_gd(mu, L):
    steps = np.linspace(0.0, 2.0 / L, 10_001)
    rates = np.maximum(np.abs(1.0 - steps * mu), np.abs(1.0 - steps * L))
    return float(steps[np.argmin(rates)]), float(rates.min())


def optimal_heavy_ball(mu, L):
    best = (1.0, 0.0, 1.0)
    for beta in np.linspace(0.0, 0.99, 60):
        for lr in np.linspace(0.01, 4.0, 60) / L:
            polynomials = [[1.0, -(1.0 + beta - lr * h), beta] for h in (mu, L)]
            rate = max(float(np.max(np.abs(np.roots(q)))) for q in polynomials)
            best = min(best, (rate, float(lr), float(beta)))
    return best[1], best[2], best[0]


# %% newton-step
def newton_step(w, g, H, damping=0.0):
    d = np.zeros(len(w))
    for _ in range(300):  # gradient descent on the system, which has not converged by then
        d = d - (H @ d + damping * d - g) / (np.abs(H).sum() + damping)
    return w - d
