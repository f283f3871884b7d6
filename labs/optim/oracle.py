"""Holds the reference against torch.optim, closed forms, brute force and simulation.

Lint calls every public function here with the reference notebook and a random generator, on many seeds. A
function raises AssertionError when the reference is wrong; what needs a package that is not installed is
left out, and said to be.
"""

import itertools
import math

import numpy as np

NEEDS = {
    "sgd_against_torch": ("torch",),
    "adam_against_torch": ("torch",),
    "clipping_against_torch": ("torch",),
    "schedule_against_torch": ("torch",),
}
STEPS = 200


def agree(name, got, expected, relative=1e-10):
    """Both arrays have one shape and agree; the message names what differs."""
    got, expected = np.asarray(got, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    assert got.shape == expected.shape, f"{name}: shape {got.shape}, expected {expected.shape}"
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    error = float(np.max(np.abs(got - expected), initial=0.0)) / scale
    assert error <= relative, f"{name}: off by {error:.3g}"


def against_torch(make_ours, make_theirs, rng, name):
    """Two hundred steps on a noisy quadratic with a step size that changes, side by side."""
    import torch

    start = {"w": rng.standard_normal((3, 4)), "b": rng.standard_normal(4)}
    curvature = {key: rng.uniform(0.2, 2.0, w.shape) for key, w in start.items()}
    p = {key: w.copy() for key, w in start.items()}
    theirs = {key: torch.tensor(w, requires_grad=True) for key, w in start.items()}
    ours, other = make_ours(p), make_theirs(list(theirs.values()))
    for step in range(STEPS):
        lr = 0.05 * (1.0 + math.cos(step / 20.0)) + 0.001
        ours.lr = other.param_groups[0]["lr"] = lr
        noise = {key: rng.standard_normal(w.shape) for key, w in p.items()}
        for key, w in theirs.items():
            w.grad = torch.tensor(curvature[key] * w.detach().numpy() + noise[key])
        ours.step({key: curvature[key] * w + noise[key] for key, w in p.items()})
        other.step()
    for key, w in p.items():
        agree(f"{name}, {key}", w, theirs[key].detach().numpy())


def sgd_against_torch(lab, rng):
    """torch.optim.SGD with every combination of momentum, Nesterov and weight decay."""
    import torch

    for momentum, nesterov, decay in itertools.product((0.0, 0.9), (False, True), (0.0, 0.1)):
        if nesterov and not momentum:
            continue
        options = {"momentum": momentum, "nesterov": nesterov, "weight_decay": decay}
        against_torch(
            lambda p, o=options: lab.SGD(p, 0.1, **o),
            lambda p, o=options: torch.optim.SGD(p, lr=0.1, **o),
            rng,
            f"SGD {options}",
        )


def adam_against_torch(lab, rng):
    """torch.optim.AdamW and Adam, with and without decay."""
    import torch

    for decoupled, decay, eps in ((True, 0.0, 1e-8), (True, 0.2, 1e-3), (False, 0.2, 1e-8)):
        options = {"betas": (0.85, 0.98), "eps": eps, "weight_decay": decay}
        theirs = torch.optim.AdamW if decoupled else torch.optim.Adam
        against_torch(
            lambda p, o=options, d=decoupled: lab.Adam(p, 0.1, decoupled=d, **o),
            lambda p, o=options, t=theirs: t(p, lr=0.1, **o),
            rng,
            f"Adam {options}",
        )


def heavy_ball_from_the_formula(lab, rng):
    """The recursion on three points, SGD's path for a constant step size, and not for a schedule."""
    start, curvature = rng.standard_normal(5), rng.uniform(0.2, 2.0, 5)
    beta, lrs = 0.8, rng.uniform(0.05, 0.2, 30)
    for steps in (np.full(30, 0.1), lrs):
        p, q = {"w": start.copy()}, {"w": start.copy()}
        ball, sgd = lab.HeavyBall(p, 0.1, beta), lab.SGD(q, 0.1, momentum=beta)
        points = [start, start]
        for lr in steps:
            w, before = points[-1], points[-2]
            points.append(w - lr * curvature * w + beta * (w - before))
            ball.lr = sgd.lr = lr
            ball.step({"w": curvature * p["w"]})
            sgd.step({"w": curvature * q["w"]})
        agree("heavy ball", p["w"], points[-1])
        apart = float(np.max(np.abs(p["w"] - q["w"])))
        assert (apart < 1e-12) == (steps is not lrs), f"heavy ball and SGD are {apart} apart"


def nesterov_is_the_lectures(lab, rng):
    """Lecture 3's form evaluates at a look-ahead point; that point takes the path of SGD(nesterov)."""
    start, curvature, lr, beta = rng.standard_normal(4), rng.uniform(0.2, 2.0, 4), 0.1, 0.7
    p = {"w": start.copy()}
    ours = lab.SGD(p, lr, momentum=beta, nesterov=True)
    w, before = start, start
    for _ in range(40):
        ahead = w + beta * (w - before)
        agree("look-ahead point", p["w"], ahead)
        ours.step({"w": curvature * p["w"]})
        w, before = ahead - lr * curvature * ahead, w


def adam_invariants(lab, rng):
    """The first step is lr·sign(g); the scale of the gradients does not matter without ε."""
    g = rng.standard_normal((10, 6)) * 10.0 ** rng.integers(-3, 4, (1, 6))
    for scale in (1.0, 1e-5, 1e7):
        p = {"w": np.zeros(6)}
        ours, path = lab.Adam(p, 0.01, eps=0.0), []
        for row in g:
            ours.step({"w": scale * row})
            path.append(p["w"].copy())
        agree("first step", path[0], -0.01 * np.sign(g[0]))
        first = path if scale == 1.0 else first
        agree("scaled", path, first)


def worked_adam(lab, rng):
    """The two steps of the handout, from the definitions alone."""
    p = {"w": np.zeros(1)}
    ours = lab.Adam(p, 0.01)
    ours.step({"w": np.array([0.1])})
    one = float(p["w"][0])
    ours.step({"w": np.array([-0.3])})
    two = float(p["w"][0]) - one
    m, s = 0.9 * 0.01 + 0.1 * -0.3, 0.999 * 1e-5 + 0.001 * 0.09
    agree("first", one, -0.01 * 0.1 / (0.1 + 1e-8))
    agree("second", two, -0.01 * (m / 0.19) / (math.sqrt(s / (1 - 0.999**2)) + 1e-8))


def schedule_by_hand(lab, rng):
    """The end of the warm-up, the middle of the cosine, its end, and long after."""
    low, high = 0.1, 1.0
    for warmup, total in ((4, 12), (10, 50), (1, 3)):
        middle = (warmup + total) / 2
        agree("first", lab.lr_at(1, high, low, warmup, total), high / warmup)
        agree("warm", lab.lr_at(warmup, high, low, warmup, total), high)
        agree("middle", lab.lr_at(middle, high, low, warmup, total), (high + low) / 2)
        agree(
            "quarter",
            lab.lr_at((3 * warmup + total) / 4, high, low, warmup, total),
            low + 0.9 * (2 + math.sqrt(2)) / 4,
        )
        for t in (total, total + 1, 100 * total):
            agree("end", lab.lr_at(t, high, low, warmup, total), low)
        values = [lab.lr_at(t, high, low, warmup, total) for t in range(warmup, total + 1)]
        assert all(a > b for a, b in itertools.pairwise(values)), "the cosine does not fall"


def schedule_against_torch(lab, rng):
    """torch's CosineAnnealingLR, shifted by the warm-up."""
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.7)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=17, eta_min=0.05)
    for t in range(5, 23):
        agree("cosine", lab.lr_at(t, 0.7, 0.05, 5, 22), optimizer.param_groups[0]["lr"], 1e-12)
        optimizer.step()
        cosine.step()


def clipping_against_torch(lab, rng):
    """torch.nn.utils.clip_grad_norm_, which adds 1e-6 to the norm that it divides by."""
    import torch

    for size in (0.01, 1.0, 100.0):
        grads = {"a": size * rng.standard_normal((3, 4)), "b": size * rng.standard_normal(5)}
        parameters = [torch.zeros(g.shape, dtype=torch.float64) for g in grads.values()]
        for parameter, g in zip(parameters, grads.values(), strict=True):
            parameter.grad = torch.tensor(g)
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0).item()
        agree("norm", lab.clip_grad_norm(grads, 1.0), norm)
        correction = 1.0 if norm <= 1.0 else (norm + 1e-6) / norm
        for parameter, g in zip(parameters, grads.values(), strict=True):
            agree("clipped", g, parameter.grad.numpy() * correction, 1e-6 if norm < 1.1 else 1e-10)
        total = math.sqrt(sum(float(np.sum(g**2)) for g in grads.values()))
        agree("norm after", total, min(1.0, norm))


def sampling_is_fair(lab, rng):
    """Coverage, lengths, determinism, and equal counts over many epochs."""
    seed = int(rng.integers(1000))
    for n, bs in ((10, 4), (12, 4), (5, 8), (1, 1)):
        found = list(lab.batches(n, bs, 3, seed))
        assert sorted(i for batch in found for i in batch) == list(range(n))
        assert [len(b) for b in found] == [min(bs, n - k) for k in range(0, n, bs)]
        assert all(b.dtype == np.int64 for b in found)
        again = list(lab.batches(n, bs, 3, seed))
        assert all(np.array_equal(a, b) for a, b in zip(found, again, strict=True))
        left = list(lab.batches(n, bs, 3, seed, drop_last=True))
        assert [len(b) for b in left] == [bs] * (n // bs)
    for replace in (False, True):
        firsts = [int(next(iter(lab.batches(6, 4, k, seed, replace)))[0]) for k in range(1200)]
        counts = np.bincount(firsts, minlength=6)
        assert np.sum((counts - 200) ** 2) / 200 < 50, f"the first example: {counts}"


def variance_by_brute_force(lab, rng):
    """Every subset and every tuple of draws, one by one; and the handout's three numbers."""
    g = rng.standard_normal((5, 2))
    mean = g.mean(axis=0)
    for B in (1, 2, 3):
        for replace in (True, False):
            draws = (
                itertools.product(range(5), repeat=B)
                if replace
                else itertools.combinations(range(5), B)
            )
            distances = [float(np.sum((g[list(draw)].mean(axis=0) - mean) ** 2)) for draw in draws]
            agree(f"B = {B}", lab.minibatch_variance(g, B, replace), np.mean(distances))
    hand = np.array([[0.0], [0.0], [3.0]])
    agree("with", lab.minibatch_variance(hand, 2, True), 1.0)
    agree("without", lab.minibatch_variance(hand, 2, False), 0.5)


def rates_by_simulation(lab, rng):
    """Long runs on a quadratic: distances shrink by the rates, and no other pair does better."""
    mu, L = 1.0, float(rng.uniform(5.0, 60.0))
    h = np.linspace(mu, L, 15)
    lr, rate = lab.optimal_gd(mu, L)
    agree("gd", lab.gd_rate(mu, L, lr), rate)
    assert all(lab.gd_rate(mu, L, lr * x) > rate for x in (0.9, 0.99, 1.01, 1.1))
    agree("spectral radius", lab.gd_rate(mu, L, 0.7 * lr), np.max(np.abs(1.0 - 0.7 * lr * h)))

    def radius(lr, beta):
        return max(float(np.max(np.abs(np.roots([1.0, -(1.0 + beta - lr * x), beta])))) for x in h)

    lr, beta, rate = lab.optimal_heavy_ball(mu, L)
    agree("root of beta", math.sqrt(beta), rate)
    agree("heavy ball", radius(lr, beta), rate, 1e-6)
    for a, b in itertools.product((0.9, 0.97, 1.0, 1.03), (0.9, 0.97, 1.0, 1.03)):
        assert (a, b) == (1.0, 1.0) or radius(a * lr, b * beta) > rate - 1e-9, f"{a}, {b} is better"
    p = {"w": np.ones(15)}
    ball = lab.HeavyBall(p, lr, beta)
    for _ in range(400):
        ball.step({"w": h * p["w"]})
    assert np.linalg.norm(p["w"]) < 400 * 50 * rate**400 + 1e-12


def published_rates(lab, rng):
    """Lecture 3 and Distill: condition number 100 gives 0.980 and 0.818 in each step."""
    assert round(lab.optimal_gd(1.0, 100.0)[1], 4) == 0.9802
    lr, beta, rate = lab.optimal_heavy_ball(1.0, 100.0)
    assert round(rate, 4) == 0.8182
    agree("lr", lr, 4 / 121)
    agree("beta", beta, 81 / 121)
    agree("1", lab.optimal_gd(3.0, 3.0), (1 / 3, 0.0))
    agree("1, heavy ball", lab.optimal_heavy_ball(3.0, 3.0), (1 / 3, 0.0, 0.0))


def newton_ends_in_the_minimum(lab, rng):
    """One step on a quadratic; damped by the closed form in eigenvectors."""
    q, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    h = 10.0 ** rng.uniform(-2, 2, 5)
    H, w, minimum = (q * h) @ q.T, rng.standard_normal(5), rng.standard_normal(5)
    g = H @ (w - minimum)
    agree("minimum", lab.newton_step(w, g, H), minimum, 1e-9)
    damped = w - q @ ((q.T @ g) / (h + 0.3))
    agree("damped", lab.newton_step(w, g, H, 0.3), damped, 1e-9)
    agree("gradient descent", lab.newton_step(w, g, H, 1e9), w - 1e-9 * g, 1e-12)
