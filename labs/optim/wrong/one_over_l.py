"""The best step size is taken for 1/L."""
# caught by: best_gradient_descent
# hint: 1/L leaves the flat end slower than need be: 2/(L + μ).


# %% rates
def gd_rate(mu, L, lr):
    """The factor by which gradient descent multiplies the worst error in each step; a float."""
    return max(abs(1.0 - lr * mu), abs(1.0 - lr * L))


def optimal_gd(mu, L):
    """The best step size of gradient descent and its rate: (lr, rate)."""
    return 1.0 / L, 1.0 - mu / L


def optimal_heavy_ball(mu, L):
    """The best step size and momentum of the heavy ball, and its rate: (lr, beta, rate)."""
    rate = (math.sqrt(L) - math.sqrt(mu)) / (math.sqrt(L) + math.sqrt(mu))
    return 4.0 / (math.sqrt(L) + math.sqrt(mu)) ** 2, rate**2, rate
