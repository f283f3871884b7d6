"""The decay is added to the caller's gradient."""
# caught by: sgd_memory, sgd_weight_decay
# hint: grads stays as it is: d = g + λw, not g += λw.


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
            d = grads[name]
            d += self.weight_decay * w
            if self.momentum:
                d += self.momentum * self.state.get(name, 0.0)
                v = d.copy()
                self.state[name] = v
                d = d + self.momentum * v if self.nesterov else v
            self.p[name] -= self.lr * d
