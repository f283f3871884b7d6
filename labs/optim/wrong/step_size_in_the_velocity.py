"""The velocity stores lr·g, so old gradients keep their old step size."""
# caught by: sgd_momentum
# hint: v ← βv + g; lr multiplies v when it is used. (What you have is the heavy ball of E2.)


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
                v = self.momentum * self.state.get(name, 0.0) + self.lr * d
                self.state[name] = v
                self.p[name] -= self.lr * d + self.momentum * v if self.nesterov else v
            else:
                self.p[name] -= self.lr * d
