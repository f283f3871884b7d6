"""The rates are those of the loss: squared."""
# caught by: gradient_descent_rate, best_gradient_descent
# hint: The error shrinks by this factor, the loss by its square.


# %% rates
def gd_rate(mu, L, lr):
    """The factor by which gradient descent multiplies the worst error in each step; a float."""
    return max(abs(1.0 - lr * mu), abs(1.0 - lr * L)) ** 2


def optimal_gd(mu, L):
    """The best step size of gradient descent and its rate: (lr, rate)."""
    return 2.0 / (L + mu), ((L - mu) / (L + mu)) ** 2


def optimal_heavy_ball(mu, L):
    """The best step size and momentum of the heavy ball, and its rate: (lr, beta, rate)."""
    rate = (math.sqrt(L) - math.sqrt(mu)) / (math.sqrt(L) + math.sqrt(mu))
    return 4.0 / (math.sqrt(L) + math.sqrt(mu)) ** 2, rate**2, rate
