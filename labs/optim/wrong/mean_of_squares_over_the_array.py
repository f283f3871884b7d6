"""One second moment for a whole array."""
# caught by: adam_path
# hint: Entry by entry: every weight has an s of its own.


# %% adam
class Adam:
    """Adam; with `decoupled` its weight decay is AdamW's, else it is L2 regularisation."""

    def __init__(self, p, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=True):
        self.p, self.lr, self.betas, self.eps = p, lr, betas, eps
        self.weight_decay, self.decoupled = weight_decay, decoupled
        self.state = {}

    def step(self, grads):
        """Update every array of p in place; `grads` has the same names and shapes, and stays as it is."""
        beta1, beta2 = self.betas
        for name, w in self.p.items():
            g = grads[name]
            if self.decoupled:
                self.p[name] *= 1.0 - self.lr * self.weight_decay
            else:
                g = g + self.weight_decay * w
            m, s, t = self.state.get(name, (0.0, 0.0, 0))
            m = beta1 * m + (1.0 - beta1) * g
            s = beta2 * s + (1.0 - beta2) * np.mean(g**2)
            t = t + 1
            self.state[name] = (m, s, t)
            root = np.sqrt(s / (1.0 - beta2**t)) + self.eps
            self.p[name] -= self.lr * (m / (1.0 - beta1**t)) / root
