"""A second right solution of the optimisers lab, written in another style: it has to score in full, too."""
# ruff: noqa: F821 (cells take their names from the notebook around them)


# %% sgd
class SGD:
    def __init__(self, p, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
        self.p, self.lr, self.mu, self.nesterov, self.decay = (
            p,
            lr,
            momentum,
            nesterov,
            weight_decay,
        )
        self.velocity = {name: np.zeros(array.shape) for name, array in p.items()}

    def step(self, grads):
        for name in self.p:
            gradient = grads[name].copy()
            gradient += self.decay * self.p[name]
            self.velocity[name] *= self.mu
            self.velocity[name] += gradient
            ahead = gradient + self.mu * self.velocity[name]
            self.p[name][...] -= self.lr * (ahead if self.nesterov else self.velocity[name])


# %% heavy-ball
class HeavyBall:
    def __init__(self, p, lr, beta):
        self.p, self.lr, self.beta = p, lr, beta
        self.move = {name: 0.0 * array for name, array in p.items()}

    def step(self, grads):
        for name, array in self.p.items():
            self.move[name] = self.beta * self.move[name] - self.lr * grads[name]
            np.add(array, self.move[name], out=array)


# %% adam
class Adam:
    def __init__(self, p, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=True):
        self.p, self.lr, self.betas, self.eps = p, lr, betas, eps
        self.weight_decay, self.decoupled, self.t = weight_decay, decoupled, 0
        self.m = {name: np.zeros_like(array) for name, array in p.items()}
        self.s = {name: np.zeros_like(array) for name, array in p.items()}

    def step(self, grads):
        self.t += 1
        c1, c2 = (1.0 - beta**self.t for beta in self.betas)
        for name, array in self.p.items():
            gradient = grads[name]
            if self.weight_decay and not self.decoupled:
                gradient = gradient + self.weight_decay * array
            self.m[name] = self.m[name] + (1.0 - self.betas[0]) * (gradient - self.m[name])
            self.s[name] = self.s[name] + (1.0 - self.betas[1]) * (gradient**2 - self.s[name])
            step = self.lr * self.m[name] / c1 / (np.sqrt(self.s[name]) / math.sqrt(c2) + self.eps)
            if self.decoupled:
                step = step + self.lr * self.weight_decay * array
            array[...] = array - step


# %% lr-at
def lr_at(t, lr_max, lr_min, warmup, total):
    if warmup and t <= warmup:
        return t / warmup * lr_max
    if t >= total:
        return lr_min
    angle = math.pi * (t - warmup) / (2 * (total - warmup))
    return lr_min + (lr_max - lr_min) * math.cos(angle) ** 2


# %% clip-grad-norm
def clip_grad_norm(grads, max_norm):
    everything = np.concatenate([np.ravel(g) for g in grads.values()])
    norm = float(np.linalg.norm(everything))
    factor = min(1.0, max_norm / norm) if norm else 1.0
    for g in grads.values():
        g[...] = g * factor
    return norm


# %% batches
def batches(n, bs, epoch, seed, replace=False, drop_last=False):
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, epoch))))
    end = n - n % bs if drop_last else n
    order = rng.choice(n, size=n, replace=replace)
    return iter([order[k : min(k + bs, end)] for k in range(0, end, bs)])


# %% minibatch-variance
def minibatch_variance(per_example_grads, B, replace):
    N = per_example_grads.shape[0]
    sigma2 = float(per_example_grads.var(axis=0).sum())
    if replace or N == 1:
        return sigma2 / B
    return sigma2 / B * (N - B) / (N - 1)


# %% rates
def gd_rate(mu, L, lr):
    return float(np.max(np.abs(1.0 - lr * np.array([mu, L]))))


def optimal_gd(mu, L):
    kappa = L / mu
    return 2.0 / (L + mu), (kappa - 1.0) / (kappa + 1.0)


def optimal_heavy_ball(mu, L):
    root = math.sqrt(L / mu)
    beta = ((root - 1.0) / (root + 1.0)) ** 2
    return (2.0 / (math.sqrt(L) + math.sqrt(mu))) ** 2, beta, math.sqrt(beta)


# %% newton-step
def newton_step(w, g, H, damping=0.0):
    values, vectors = np.linalg.eigh(H)
    return w - vectors @ ((vectors.T @ g) / (values + damping))
