"""The dict gets new arrays; whoever holds the old ones never hears of it."""
# caught by: sgd_memory
# hint: Change the array itself: p[name] -= …, not p[name] = p[name] − ….


# %% sgd
class SGD:
    """Stochastic gradient descent with momentum, Nesterov momentum and L2 regularisation."""

    def __init__(self, p, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
        self.p, self.lr = p, lr
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        self.state = {}

    def step(self, grads):
        """Update every array of p in place; `grads` has the same names and shapes, and stays as it is."""
        for name, w in self.p.items():
            d = grads[name] + self.weight_decay * w
            if self.momentum:
                v = self.momentum * self.state.get(name, 0.0) + d
                self.state[name] = v
                d = d + self.momentum * v if self.nesterov else v
            self.p[name] = w - self.lr * d
