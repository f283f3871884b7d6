"""The heavy ball keeps the step size of gradient descent."""
# caught by: best_heavy_ball, rates_at_the_ends
# hint: 4/(√L + √μ)², almost twice as large.


# %% rates
def gd_rate(mu, L, lr):
    """The factor by which gradient descent multiplies the worst error in each step; a float."""
    return max(abs(1.0 - lr * mu), abs(1.0 - lr * L))


def optimal_gd(mu, L):
    """The best step size of gradient descent and its rate: (lr, rate)."""
    return 2.0 / (L + mu), (L - mu) / (L + mu)


def optimal_heavy_ball(mu, L):
    """The best step size and momentum of the heavy ball, and its rate: (lr, beta, rate)."""
    rate = (math.sqrt(L) - math.sqrt(mu)) / (math.sqrt(L) + math.sqrt(mu))
    return 2.0 / (L + mu), rate**2, rate
