"""The best step size is taken for 2/L, where it no longer converges."""
# caught by: best_gradient_descent
# hint: 2/L is the border: 2/(L + μ) is the best.


# %% rates
def gd_rate(mu, L, lr):
    """The factor by which gradient descent multiplies the worst error in each step; a float."""
    return max(abs(1.0 - lr * mu), abs(1.0 - lr * L))


def optimal_gd(mu, L):
    """The best step size of gradient descent and its rate: (lr, rate)."""
    return 2.0 / L, (L - mu) / (L + mu)


def optimal_heavy_ball(mu, L):
    """The best step size and momentum of the heavy ball, and its rate: (lr, beta, rate)."""
    rate = (math.sqrt(L) - math.sqrt(mu)) / (math.sqrt(L) + math.sqrt(mu))
    return 4.0 / (math.sqrt(L) + math.sqrt(mu)) ** 2, rate**2, rate
