"""The experiments of the optimisers lab: each runs on the student's notebook and on the reference.

Optimisers are given gradients that depend on the parameters (a quadratic, and noise), so whoever does not
update in place soon gets other gradients, too. Sampling is verified by what it promises, not by the
order that the reference draws; its statistical tests reject a right answer once in 10⁹.
"""

import numpy as np

from grader.checks import Tolerance, check

EXACT = Tolerance(relative=1e-12, absolute=1e-14)
CLOSE = Tolerance(relative=1e-9, absolute=1e-12)
SHAPES = [
    {"w": (3,), "b": (3,)},
    {"w": (2, 5), "b": (1,), "c": ()},
    {"first": (7,), "second": (7,), "none": (0, 2)},
    {"b": (1, 1), "a": (2, 1, 3), "c": (3, 3)},
]
STEPS = 6


def problem(rng, trial):
    """Parameters, the curvature of each entry, noise for every step, and step sizes that change."""
    shapes = SHAPES[trial % len(SHAPES)]
    return {
        "start": {name: np.asarray(rng.standard_normal(s)) for name, s in shapes.items()},
        "curvature": {name: np.asarray(rng.uniform(0.5, 2.0, s)) for name, s in shapes.items()},
        "noise": {name: rng.standard_normal((STEPS, *s)) for name, s in shapes.items()},
        "lrs": rng.uniform(0.02, 0.2, STEPS).tolist(),
    }


# --- E1: SGD ---------------------------------------------------------------------------------------


@check(
    exercise="E1",
    points=3,
    trials=4,
    inputs=problem,
    tolerance=CLOSE,
    hint="w ← w − lr·g, in place, with the lr of today; momentum and decay are 0 unless given.",
)
def sgd_plain(lab, start, curvature, noise, lrs):
    """Plain gradient descent with a step size that changes."""
    p = {name: np.array(w) for name, w in start.items()}
    optimiser, path = lab.SGD(p, lrs[0]), []
    for k, lr in enumerate(lrs):
        optimiser.lr = lr
        optimiser.step({name: np.asarray(curvature[name] * p[name] + noise[name][k]) for name in p})
        path.append({name: np.array(w) for name, w in p.items()})
    return {"path": path}


@check(
    exercise="E1",
    points=5,
    trials=4,
    inputs=lambda rng, trial: problem(rng, trial) | {"mu": float(rng.uniform(0.5, 0.95))},
    tolerance=CLOSE,
    hint="v ← βv + g, w ← w − lr·v: the gradient enters with the weight 1, and lr only when v is used.",
)
def sgd_momentum(lab, start, curvature, noise, lrs, mu):
    """Momentum, with a constant and with a changing step size."""
    results = {}
    for name, steps in {"constant lr": [lrs[0]] * len(lrs), "changing lr": lrs}.items():
        p = {key: np.array(w) for key, w in start.items()}
        optimiser = lab.SGD(p, steps[0], momentum=mu)
        results[name] = []
        for k, lr in enumerate(steps):
            optimiser.lr = lr
            optimiser.step({key: np.asarray(curvature[key] * p[key] + noise[key][k]) for key in p})
            results[name].append({key: np.array(w) for key, w in p.items()})
    return results


@check(
    exercise="E1",
    points=5,
    trials=4,
    inputs=lambda rng, trial: problem(rng, trial) | {"mu": float(rng.uniform(0.5, 0.95))},
    tolerance=CLOSE,
    hint="w ← w − lr·(g + βv) with the new v; the gradient that you get is already the one to use.",
)
def sgd_nesterov(lab, start, curvature, noise, lrs, mu):
    """Nesterov's momentum, and that it needs to be asked for."""
    results = {}
    for nesterov in (True, False):
        p = {key: np.array(w) for key, w in start.items()}
        optimiser = lab.SGD(p, lrs[0], mu, nesterov=nesterov)
        results[f"nesterov={nesterov}"] = []
        for k, lr in enumerate(lrs):
            optimiser.lr = lr
            optimiser.step({key: np.asarray(curvature[key] * p[key] + noise[key][k]) for key in p})
            results[f"nesterov={nesterov}"].append({key: np.array(w) for key, w in p.items()})
    return results


@check(
    exercise="E1",
    points=4,
    trials=4,
    hidden=True,
    inputs=lambda rng, trial: (
        problem(rng, trial)
        | {"mu": float(rng.uniform(0.5, 0.95)), "decay": float(rng.uniform(0.1, 0.5))}
    ),
    tolerance=CLOSE,
    hint="d = g + λw comes first, and everything else sees only d: the momentum, too.",
)
def sgd_weight_decay(lab, start, curvature, noise, lrs, mu, decay):
    """L2 regularisation alone, with momentum and with Nesterov's."""
    results = {}
    kinds = {"alone": {}, "momentum": {"momentum": mu}}
    kinds["nesterov"] = {"momentum": mu, "nesterov": True}
    for kind, options in kinds.items():
        p = {key: np.array(w) for key, w in start.items()}
        optimiser = lab.SGD(p, lrs[0], weight_decay=decay, **options)
        for k, lr in enumerate(lrs):
            optimiser.lr = lr
            optimiser.step({key: np.asarray(curvature[key] * p[key] + noise[key][k]) for key in p})
        results[kind] = p
    return results


@check(
    exercise="E1",
    points=3,
    trials=4,
    hidden=True,
    inputs=lambda rng, trial: problem(rng, trial) | {"mu": float(rng.uniform(0.5, 0.95))},
    tolerance=CLOSE,
    hint="Change the arrays of p themselves, copy what you keep of grads, and give every parameter of "
    "every optimiser a memory of its own.",
)
def sgd_memory(lab, start, curvature, noise, lrs, mu):
    """In place; gradients that are overwritten later; two optimisers; the same shapes twice."""
    p = {name: np.array(w) for name, w in start.items()}
    other = {name: np.array(w) for name, w in start.items()}
    held = dict(p)
    first, second = lab.SGD(p, lrs[0], mu), lab.SGD(other, lrs[1], mu, nesterov=True)
    grads = {name: np.zeros(w.shape) for name, w in p.items()}
    unchanged = []
    for k in range(len(lrs)):
        for name, w in p.items():
            grads[name][...] = curvature[name] * w + noise[name][k]
        before = {name: np.array(g) for name, g in grads.items()}
        first.step(grads)
        unchanged.append(all(bool(np.all(grads[name] == before[name])) for name in p))
        if k % 2:
            second.step(before)
        for name in p:
            grads[name][...] = 1e6  # the caller's arrays, used for something else
    return {
        "path": [p, other],
        "the same arrays": [p[name] is held[name] for name in p],
        "what others hold": [np.array(w) for w in held.values()],
        "grads as they were": unchanged,
    }


# --- E2: the heavy ball ----------------------------------------------------------------------------


@check(
    exercise="E2",
    points=4,
    trials=4,
    inputs=lambda rng, trial: problem(rng, trial) | {"beta": float(rng.uniform(0.5, 0.95))},
    tolerance=CLOSE,
    hint="w − lr·g + β·(w − w before), where before the first step w before is w.",
)
def heavy_ball_constant(lab, start, curvature, noise, lrs, beta):
    """With a constant step size the heavy ball takes the path of SGD with momentum."""
    p = {name: np.array(w) for name, w in start.items()}
    optimiser, path = lab.HeavyBall(p, lrs[0], beta), []
    for k in range(len(lrs)):
        optimiser.step({name: np.asarray(curvature[name] * p[name] + noise[name][k]) for name in p})
        path.append({name: np.array(w) for name, w in p.items()})
    return {"path": path}


@check(
    exercise="E2",
    points=4,
    trials=4,
    inputs=lambda rng, trial: problem(rng, trial) | {"beta": float(rng.uniform(0.5, 0.95))},
    tolerance=CLOSE,
    hint="The displacement goes on by β, whatever the step size is now; it is not a velocity times lr.",
)
def heavy_ball_schedule(lab, start, curvature, noise, lrs, beta):
    """With a step size that changes it takes another path: old steps keep their size."""
    results = {}
    for name, steps in {"falling": [0.2, 0.2, 0.2, 0.02, 0.02, 0.0], "changing": lrs}.items():
        p = {key: np.array(w) for key, w in start.items()}
        optimiser = lab.HeavyBall(p, steps[0], beta)
        results[name] = []
        for k, lr in enumerate(steps):
            optimiser.lr = lr
            optimiser.step({key: np.asarray(curvature[key] * p[key] + noise[key][k]) for key in p})
            results[name].append({key: np.array(w) for key, w in p.items()})
    return results


@check(
    exercise="E2",
    points=2,
    trials=4,
    hidden=True,
    inputs=lambda rng, trial: problem(rng, trial) | {"beta": float(rng.uniform(0.5, 0.95))},
    tolerance=CLOSE,
    hint="w changes in place: what you remember of it has to be a copy, one for each parameter.",
)
def heavy_ball_memory(lab, start, curvature, noise, lrs, beta):
    """In place; gradients that are overwritten later; two heavy balls; β = 0."""
    p = {name: np.array(w) for name, w in start.items()}
    other = {name: np.array(w) for name, w in start.items()}
    third = {name: np.array(w) for name, w in start.items()}
    held = dict(p)
    first, second = lab.HeavyBall(p, lrs[0], beta), lab.HeavyBall(other, lrs[1], beta / 2)
    plain = lab.HeavyBall(third, lrs[2], 0.0)
    grads = {name: np.zeros(w.shape) for name, w in p.items()}
    unchanged = []
    for k in range(len(lrs)):
        for name, w in p.items():
            grads[name][...] = curvature[name] * w + noise[name][k]
        before = {name: np.array(g) for name, g in grads.items()}
        first.step(grads)
        unchanged.append(all(bool(np.all(grads[name] == before[name])) for name in p))
        second.step(before)
        plain.step(before)
        for name in p:
            grads[name][...] = 1e6
    return {
        "path": [p, other, third],
        "the same arrays": [p[name] is held[name] for name in p],
        "grads as they were": unchanged,
    }


# --- E3: Adam --------------------------------------------------------------------------------------


@check(
    exercise="E3",
    points=4,
    trials=4,
    inputs=lambda rng, trial: (
        problem(rng, trial)
        | {"scale": [1.0, 1e-8, 1e4, 1e-6][trial], "eps": [1e-8, 1e-8, 1e-3, 1e-7][trial]}
    ),
    tolerance=CLOSE,
    hint="t is 1 in the first step: m̂ = g and ŝ = g². ε is added to the root, not below it.",
)
def adam_first_steps(lab, start, curvature, noise, lrs, scale, eps):
    """The first two steps, with gradients of every size."""
    p = {name: np.array(w) for name, w in start.items()}
    optimiser, path = lab.Adam(p, lrs[0], eps=eps), []
    for k in range(2):
        optimiser.step({name: np.asarray(scale * noise[name][k]) for name in p})
        path.append({name: np.array(w) for name, w in p.items()})
    return {"path": path}


def betas(rng, trial):
    """The usual pair at first, then others."""
    other = (float(rng.uniform(0.5, 0.95)), float(rng.uniform(0.9, 0.999)))
    return {"beta1": 0.9 if trial == 0 else other[0], "beta2": 0.999 if trial == 0 else other[1]}


@check(
    exercise="E3",
    points=5,
    trials=4,
    inputs=lambda rng, trial: problem(rng, trial) | betas(rng, trial),
    tolerance=CLOSE,
    hint="Both averages are divided by 1 − β^t with the t of this step, for every parameter; lr is the "
    "one of today.",
)
def adam_path(lab, start, curvature, noise, lrs, beta1, beta2):
    """A path of Adam without decay, for any betas and with a step size that changes."""
    p = {name: np.array(w) for name, w in start.items()}
    optimiser, path = lab.Adam(p, lrs[0], betas=(beta1, beta2)), []
    for k, lr in enumerate(lrs):
        optimiser.lr = lr
        optimiser.step({name: np.asarray(curvature[name] * p[name] + noise[name][k]) for name in p})
        path.append({name: np.array(w) for name, w in p.items()})
    return {"path": path}


@check(
    exercise="E3",
    points=4,
    trials=4,
    inputs=lambda rng, trial: problem(rng, trial) | {"decay": float(rng.uniform(0.1, 0.8))},
    tolerance=CLOSE,
    hint="w ← (1 − lr·λ)·w before the step, with the lr of today, once; m and s see the gradient alone.",
)
def adamw_decay(lab, start, curvature, noise, lrs, decay):
    """AdamW: decay that does not pass through the averages; it is the default."""
    p = {name: np.array(w) for name, w in start.items()}
    optimiser, path = lab.Adam(p, lrs[0], weight_decay=decay), []
    for k, lr in enumerate(lrs):
        optimiser.lr = lr
        optimiser.step({name: np.asarray(curvature[name] * p[name] + noise[name][k]) for name in p})
        path.append({name: np.array(w) for name, w in p.items()})
    still = {"w": np.array([2.0, -3.0])}
    lab.Adam(still, 0.5, weight_decay=decay, decoupled=True).step({"w": np.zeros(2)})
    return {"path": path, "without a gradient": still["w"]}


@check(
    exercise="E3",
    points=3,
    trials=4,
    hidden=True,
    inputs=lambda rng, trial: problem(rng, trial) | {"decay": float(rng.uniform(0.1, 0.8))},
    tolerance=CLOSE,
    hint="decoupled=False: g ← g + λw before both averages, and nothing else.",
)
def adam_l2(lab, start, curvature, noise, lrs, decay):
    """Adam with L2: decay that passes through the averages."""
    p = {name: np.array(w) for name, w in start.items()}
    optimiser, path = lab.Adam(p, lrs[0], weight_decay=decay, decoupled=False), []
    for k, lr in enumerate(lrs):
        optimiser.lr = lr
        optimiser.step({name: np.asarray(curvature[name] * p[name] + noise[name][k]) for name in p})
        path.append({name: np.array(w) for name, w in p.items()})
    return {"path": path}


@check(
    exercise="E3",
    points=4,
    trials=4,
    hidden=True,
    inputs=lambda rng, trial: problem(rng, trial) | {"factor": float(10.0 ** rng.uniform(3, 6))},
    tolerance=CLOSE,
    hint="With ε = 0 the path does not depend on the scale of the gradients; every optimiser and every "
    "parameter has averages of its own; what you keep of grads is a copy.",
)
def adam_invariances(lab, start, curvature, noise, lrs, factor):
    """Scaled gradients, first steps of size lr, two optimisers, overwritten gradients, in place."""
    p = {name: np.array(w) for name, w in start.items()}
    scaled = {name: np.array(w) for name, w in start.items()}
    held = dict(p)
    first, second = lab.Adam(p, lrs[0], eps=0.0), lab.Adam(scaled, lrs[0], eps=0.0)
    grads = {name: np.zeros(w.shape) for name, w in p.items()}
    unchanged, sizes = [], []
    for k in range(len(lrs)):
        for name in p:
            grads[name][...] = noise[name][k]
        second.step({name: np.asarray(factor * g) for name, g in grads.items()})
        first.step(grads)
        unchanged.append(all(bool(np.all(grads[name] == noise[name][k])) for name in p))
        if k == 0:
            sizes = [np.array(p[name] - start[name]) / lrs[0] for name in p]
        for name in p:
            grads[name][...] = 1e6
    return {
        "paths": [p, scaled],
        "first step in units of lr": sizes,
        "the same arrays": [p[name] is held[name] for name in p],
        "grads as they were": unchanged,
    }


# --- E4: schedule and clipping ---------------------------------------------------------------------


def plan(rng, trial):
    warmup = [4, 3, 10, 1][trial]
    return {
        "lr_max": [1.0, 6e-4, 0.3, 2.0][trial],
        "lr_min": [0.1, 6e-5, 0.0, 0.5][trial],
        "warmup": warmup,
        "total": 12 if trial == 0 else warmup + int(rng.integers(5, 20)),
    }


@check(
    exercise="E4",
    points=5,
    trials=4,
    inputs=plan,
    tolerance=EXACT,
    hint="lr_max at t = warmup, the mean of both in the middle of the cosine, lr_min from t = total on.",
)
def schedule(lab, lr_max, lr_min, warmup, total):
    """Every step from the first to well after the last."""
    return {f"t = {t}": lab.lr_at(t, lr_max, lr_min, warmup, total) for t in range(1, total + 6)}


@check(
    exercise="E4",
    points=3,
    trials=3,
    hidden=True,
    inputs=lambda rng: {
        "lr_max": float(rng.uniform(0.1, 1.0)),
        "lr_min": float(rng.uniform(0.01, 0.1)),
        "total": int(rng.integers(5, 20)),
    },
    tolerance=EXACT,
    hint="warmup = 0 begins with the cosine at once; warmup = total ends with the warm-up; t > total is "
    "always lr_min; a long run is no different from a short one.",
)
def schedule_edges(lab, lr_max, lr_min, total):
    """No warm-up, nothing but warm-up, far too late, equal step sizes, and a million steps."""
    cases = {
        "no warm-up": [(t, lr_max, lr_min, 0, total) for t in range(1, total + 3)],
        "only warm-up": [(t, lr_max, lr_min, total, total) for t in range(1, total + 3)],
        "far too late": [(1000 * total, lr_max, lr_min, 2, total)],
        "flat": [(t, lr_max, lr_max, 2, total) for t in range(1, total + 3)],
        "a million": [(t, lr_max, lr_min, 2000, 10**6) for t in (1, 2000, 2001, 501_000, 10**6)],
        "one step": [(t, lr_max, lr_min, 0, 1) for t in (1, 2)],
    }
    return {name: [lab.lr_at(*case) for case in listed] for name, listed in cases.items()}


@check(
    exercise="E4",
    points=4,
    trials=4,
    inputs=lambda rng, trial: {
        "grads": {
            name: 3.0 * np.asarray(rng.standard_normal(shape))
            for name, shape in SHAPES[trial].items()
        },
        "share": [0.5, 0.1, 0.9, 0.01][trial],
    },
    tolerance=EXACT,
    hint="One norm for all arrays together; the factor max_norm/norm for each; return the norm before.",
)
def clipping(lab, grads, share):
    """Gradients that are too long are scaled together, in place."""
    norm = float(np.sqrt(sum(np.sum(g * g) for g in grads.values())))
    given = {name: np.array(g) for name, g in grads.items()}
    held = dict(given)
    results = {"norm before": lab.clip_grad_norm(given, share * norm), "clipped": given}
    results["the same arrays"] = [given[name] is held[name] for name in given]
    results["what others hold"] = [np.array(g) for g in held.values()]
    results["clipped again"] = lab.clip_grad_norm(given, share * norm)
    return results


@check(
    exercise="E4",
    points=3,
    trials=4,
    hidden=True,
    inputs=lambda rng, trial: {
        "grads": {
            name: np.asarray(rng.standard_normal(shape)) for name, shape in SHAPES[trial].items()
        },
    },
    tolerance=EXACT,
    hint="Nothing is scaled up, zeros stay zeros (no 0/0), one small array beside a large one keeps its "
    "direction, and the returned norm is the one from before.",
)
def clipping_edges(lab, grads):
    """Short gradients, zeros, arrays of very different size, one array, and a limit of infinity."""
    norm = float(np.sqrt(sum(np.sum(g * g) for g in grads.values())))
    first = next(iter(grads))
    cases = {
        "short": (grads, 3.0 * norm),
        "no limit": (grads, float("inf")),
        "zeros": ({name: np.zeros(g.shape) for name, g in grads.items()}, 1.0),
        "unequal": ({name: g * (1e4 if name == first else 1e-3) for name, g in grads.items()}, 1.0),
        "one array": ({first: grads[first]}, 1e-3),
        "tiny": ({name: g * 1e-9 for name, g in grads.items()}, 1e-10),
    }
    results = {}
    for name, (case, limit) in cases.items():
        given = {key: np.array(g) for key, g in case.items()}
        results[name] = [lab.clip_grad_norm(given, limit), given]
    return results


# --- E5: sampling ----------------------------------------------------------------------------------

SIZES = [(10, 4), (12, 4), (7, 1), (5, 8), (1, 1), (23, 7)]


def wrong_batch(batch, n, size):
    """What is wrong with one mini-batch, whatever is in it."""
    if not isinstance(batch, np.ndarray) or batch.dtype != np.int64 or batch.ndim != 1:
        return "every batch is a one-dimensional int64 array"
    if len(batch) != size:
        return f"a batch has {len(batch)} entries where {size} are due"
    if batch.min() < 0 or batch.max() >= n:
        return f"an index lies outside of 0 … {n - 1}"
    return None


def lengths(n, bs, drop_last):
    whole, rest = divmod(n, bs)
    return [bs] * whole + ([rest] if rest and not drop_last else [])


def wrong_epoch(found, n, bs, drop_last):
    wanted = lengths(n, bs, drop_last)
    if not isinstance(found, list) or len(found) != len(wanted):
        return f"{len(found)} batches where {len(wanted)} are due (n = {n}, bs = {bs})"
    faults = (wrong_batch(batch, n, size) for batch, size in zip(found, wanted, strict=True))
    return next((fault for fault in faults if fault), None)


def covers(inputs, outputs):
    n, bs = inputs["n"], inputs["bs"]
    for name in ("all", "drop_last"):
        found = outputs[name]
        if fault := wrong_epoch(found, n, bs, name == "drop_last"):
            return f"{name}: {fault}"
        seen = [int(i) for batch in found for i in batch]
        if len(set(seen)) != len(seen):
            return f"{name}: example {max(seen, key=seen.count)} occurs more than once"
    orders = outputs["orders"]
    if not isinstance(orders, np.ndarray) or orders.shape != (inputs["epochs"], 4):
        return "an epoch over 4 examples has 4 entries"
    counts: dict[tuple[int, ...], int] = {}
    for order in orders.tolist():
        counts[tuple(order)] = counts.get(tuple(order), 0) + 1
    if any(sorted(order) != [0, 1, 2, 3] for order in counts):
        return "an epoch over 4 examples misses one of them"
    due = inputs["epochs"] / 24
    chi_squared = sum((count - due) ** 2 / due for count in counts.values())
    chi_squared += due * (24 - len(counts))
    if chi_squared > 89.2:  # a fair shuffle gets here once in 10⁹
        return f"of the 24 orders of 4 examples some are preferred: χ² = {chi_squared:.0f}, not about 23"
    return None


@check(
    exercise="E5",
    points=4,
    trials=6,
    inputs=lambda rng, trial: {
        "n": SIZES[trial][0],
        "bs": SIZES[trial][1],
        "epoch": int(rng.integers(50)),
        "seed": int(rng.integers(10**6)),
        "epochs": 6000 if trial == 0 else 240,
    },
    verify=covers,
    hint="A random permutation in pieces of bs: every example once, the last piece shorter or left out, "
    "all orders equally likely.",
)
def one_epoch(lab, n, bs, epoch, seed, epochs):
    """Every example once, in batches of the right lengths, in a random order."""
    orders = [np.concatenate(list(lab.batches(4, 3, k, seed))) for k in range(epochs)]
    return {
        "all": list(lab.batches(n, bs, epoch, seed)),
        "drop_last": list(lab.batches(n, bs, epoch, seed, drop_last=True)),
        "orders": np.array(orders),
    }


def repeatable(inputs, outputs):
    n, bs = inputs["n"], inputs["bs"]
    for name in ("first", "again", "interleaved"):
        if fault := wrong_epoch(outputs[name], n, bs, False):
            return fault
    first = [batch.tolist() for batch in outputs["first"]]
    if sorted(i for batch in first for i in batch) != list(range(n)):
        return "an epoch misses an example"
    for name in ("again", "interleaved"):
        if [batch.tolist() for batch in outputs[name]] != first:
            return f"{name}: the same seed and epoch give another order"
    if outputs["global generator"] != outputs["global generator, alone"]:
        return "the global generator was used or seeded: it gives other numbers afterwards"
    for kind in ("without", "with replacement"):
        orders = [tuple(order.tolist()) for order in outputs[kind]]
        for k, order in enumerate(orders):
            if len(order) != n:
                return f"an epoch has {len(order)} entries, not {n}"
            if order in orders[:k]:
                a, b = inputs["pairs"][orders.index(order)], inputs["pairs"][k]
                return f"(seed, epoch) = {tuple(a)} and {tuple(b)} give the same order"
    return None


PAIRS = [(3, 5), (5, 3), (4, 4), (8, 0), (0, 8), (0, 0), (0, 1), (1, 0), (2, 0), (1, 10), (1, 100)]
PAIRS += [(1, 1000), (1, 10_000), (1, 1_000_000), (7, 1), (7, 2), (1, 7), (15, 0), (0, 15), (6, 0)]
PAIRS += [(0, 31), (0, 37), (0, 10_000), (0, 65_536), (0, 2**31 - 1), (2**31 - 1, 0)]


@check(
    exercise="E5",
    points=3,
    trials=2,
    inputs=lambda rng, trial: {
        "n": 30 + trial,
        "bs": 7,
        "seed": int(rng.integers(10**6)),
        "epoch": int(rng.integers(100)),
        "pairs": [list(pair) for pair in PAIRS],
    },
    verify=repeatable,
    hint="A generator of its own for each call, seeded with both numbers: default_rng([seed, epoch]).",
)
def drawn_again(lab, n, bs, seed, epoch, pairs):
    """The order depends on seed and epoch, on both, and on nothing else."""
    np.random.seed(12345)
    alone = float(np.random.random())
    np.random.seed(12345)
    first = list(lab.batches(n, bs, epoch, seed))
    found = float(np.random.random())
    one, two, interleaved = lab.batches(n, bs, epoch, seed), lab.batches(n, bs, epoch + 1, seed), []
    for batch, _ in zip(one, two, strict=True):
        interleaved.append(batch)
    np.random.seed(1)
    again = list(lab.batches(n, bs, epoch, seed))
    orders = {
        name: [np.concatenate(list(lab.batches(n, bs, e, s, replace))) for s, e in pairs]
        for name, replace in {"without": False, "with replacement": True}.items()
    }
    return {
        "first": first,
        "again": again,
        "interleaved": interleaved,
        "global generator": found,
        "global generator, alone": alone,
        **orders,
    }


def independent(inputs, outputs):
    n, bs = inputs["n"], inputs["bs"]
    neighbours, repeats, whole, draws = 0, 0, 0, outputs["draws"]
    if not isinstance(draws, np.ndarray) or draws.shape != (400, n) or draws.dtype != np.int64:
        return f"an epoch with replacement has {n} int64 entries"
    if draws.min() < 0 or draws.max() >= n:
        return f"an index lies outside of 0 … {n - 1}"
    counts = np.bincount(draws.ravel(), minlength=n)
    for epoch in outputs["epochs"]:
        if fault := wrong_epoch(epoch, n, bs, False):
            return fault
        for batch in epoch:
            neighbours += int(np.sum(batch[1:] == batch[:-1]))
            if len(batch) == bs:
                repeats, whole = repeats + (len(set(batch.tolist())) < bs), whole + 1
        if len({tuple(batch.tolist()) for batch in epoch}) < len(epoch):
            return "two batches of an epoch are equal: each is drawn anew"
    if fault := wrong_epoch(outputs["drop_last"], n, bs, True):
        return f"drop_last: {fault}"
    if all(np.all(np.diff(batch) >= 0) for epoch in outputs["epochs"] for batch in epoch):
        return "every batch is sorted"
    distinct = [len({int(i) for batch in epoch for i in batch}) for epoch in outputs["epochs"]]
    if min(distinct) == n:
        return "with replacement every example occurs exactly once in every epoch"
    if repeats < whole / 4:
        return "examples hardly ever repeat within a batch"
    expected = counts.sum() / n
    chi_squared = float(np.sum((counts - expected) ** 2)) / expected
    if not 2.0 < chi_squared < 91.2:  # of 24 degrees of freedom; outside once in 10⁹
        return f"the examples are not drawn equally often, or too equally: χ² = {chi_squared:.1f}, not about 24"
    pairs = sum(len(batch) - 1 for epoch in outputs["epochs"] for batch in epoch)
    if abs(neighbours - pairs / n) > 8.0 * np.sqrt(pairs / n):
        return "neighbours in a batch are equal more or less often than by chance"
    return None


@check(
    exercise="E5",
    points=3,
    trials=2,
    hidden=True,
    inputs=lambda rng: {"n": 25, "bs": 10, "seed": int(rng.integers(10**6))},
    verify=independent,
    hint="Every index is drawn from all n, independently of the others: rng.integers(n, size=n).",
)
def with_replacement(lab, n, bs, seed):
    """With replacement: uniform, independent, and still in batches of the right lengths."""
    draws = [np.concatenate(list(lab.batches(n, bs, k, seed, True))) for k in range(1000, 1400)]
    return {
        "epochs": [list(lab.batches(n, bs, k, seed, replace=True)) for k in range(150)],
        "draws": np.array(draws),
        "drop_last": list(lab.batches(n, bs, 0, seed, replace=True, drop_last=True)),
    }


# --- E6: variance ----------------------------------------------------------------------------------

SAMPLES = [(3, 3, 2), (7, 2, 3), (50, 11, 8), (200, 3, 60), (5, 1, 1)]


def sample(rng, trial):
    n, d, B = SAMPLES[trial]
    return {"g": rng.standard_normal((n, d)) * rng.uniform(0.1, 3.0, d), "B": B}


@check(
    exercise="E6",
    points=4,
    trials=5,
    inputs=sample,
    tolerance=CLOSE,
    hint="σ²/B, where σ² is the mean over N of ‖g − ḡ‖²: summed over coordinates, divided by N.",
)
def variance_with_replacement(lab, g, B):
    """σ²/B for independent draws, also for more draws than examples."""
    return {
        "B": lab.minibatch_variance(g, B, True),
        "one": lab.minibatch_variance(g, 1, replace=True),
        "three times N": lab.minibatch_variance(g, 3 * len(g), True),
        "strided": lab.minibatch_variance(np.repeat(g, 2, axis=0)[::2], B, True),
        "g afterwards": g,
    }


@check(
    exercise="E6",
    points=4,
    trials=5,
    inputs=sample,
    tolerance=CLOSE,
    hint="σ²/B·(N − B)/(N − 1): nothing is left for B = N.",
)
def variance_without_replacement(lab, g, B):
    """The finite population: the same with the factor (N − B)/(N − 1)."""
    return {
        "B": lab.minibatch_variance(g, B, False),
        "one": lab.minibatch_variance(g, 1, replace=False),
        "all but one": lab.minibatch_variance(g, len(g) - 1, False),
        "all": lab.minibatch_variance(g, len(g), False),
    }


@check(
    exercise="E6",
    points=2,
    trials=3,
    hidden=True,
    inputs=lambda rng: {"g": rng.standard_normal((6, 4)), "far": float(rng.uniform(1e6, 1e7))},
    tolerance=Tolerance(relative=1e-7, absolute=1e-12),
    hint="Subtract the mean before squaring; N = 1 gives 0 without replacement; equal gradients give 0.",
)
def variance_edges(lab, g, far):
    """Gradients far from zero, all equal, a single one, and many of them."""
    many = np.tile(g, (500, 1))
    same = np.tile(g[:1] * 4.0, (8, 1))
    return {
        "far from zero": [lab.minibatch_variance(g + far, 2, replace) for replace in (True, False)],
        "all equal": [lab.minibatch_variance(same, 2, replace) for replace in (True, False)],
        "a single one": [lab.minibatch_variance(g[:1], 1, replace) for replace in (True, False)],
        "many": [lab.minibatch_variance(many, 1000, replace) for replace in (True, False)],
    }


# --- E7: rates and Newton --------------------------------------------------------------------------


def spectrum(rng, trial):
    mu = 1.0 if trial == 0 else float(10.0 ** rng.uniform(-2, 1))
    kappa = 100.0 if trial == 0 else float(10.0 ** rng.uniform(0.3, 3))
    return {"mu": mu, "L": mu * kappa, "share": float(rng.uniform(0.05, 1.2))}


@check(
    exercise="E7",
    points=3,
    trials=4,
    inputs=spectrum,
    tolerance=EXACT,
    hint="The worse of the two ends: max(|1 − lr·μ|, |1 − lr·L|), also where it is above 1.",
)
def gradient_descent_rate(lab, mu, L, share):
    """The factor of the worst direction, for step sizes that are too small, good, and too large."""
    steps = {"some": share * 2.0 / L, "small": 0.01 / L, "1/L": 1.0 / L, "large": 1.9 / L}
    steps |= {"too large": 2.5 / L, "1/mu": 1.0 / mu}
    return {name: lab.gd_rate(mu, L, lr) for name, lr in steps.items()}


@check(
    exercise="E7",
    points=3,
    trials=4,
    inputs=spectrum,
    tolerance=EXACT,
    hint="lr = 2/(L + μ) makes both ends equally bad; the rate is (L − μ)/(L + μ).",
)
def best_gradient_descent(lab, mu, L, share):
    """The best step size, its rate, and that its neighbours are worse."""
    lr, rate = lab.optimal_gd(mu, L)
    worst = [max(abs(1.0 - x * lr * mu), abs(1.0 - x * lr * L)) for x in (1.0 - share / 9, 1.1)]
    return {"lr": lr, "rate": rate, "neighbours are worse": [rate < other for other in worst]}


@check(
    exercise="E7",
    points=3,
    trials=4,
    inputs=spectrum,
    tolerance=CLOSE,
    hint="lr = 4/(√L + √μ)², β = ((√κ − 1)/(√κ + 1))², and the rate is the root of β.",
)
def best_heavy_ball(lab, mu, L, share):
    """The best pair of step size and momentum, its rate, and the roots that it leads to."""
    lr, beta, rate = lab.optimal_heavy_ball(mu, L)
    middle = mu + 0.5 * share * (L - mu)  # complex roots: both have the magnitude of the rate
    root = np.roots([1.0, -(1.0 + beta - lr * middle), beta])
    return {
        "lr": lr,
        "beta": beta,
        "rate": rate,
        "largest root in between": float(np.max(np.abs(root))) if share < 1.0 else 0.0,
    }


@check(
    exercise="E7",
    points=2,
    trials=3,
    hidden=True,
    inputs=lambda rng: {
        "mu": float(rng.uniform(0.1, 5.0)),
        "kappa": float(10.0 ** rng.uniform(6, 8)),
    },
    tolerance=CLOSE,
    hint="κ = 1 converges in one step (rate 0, β = 0); rates are at most 1 however large κ is.",
)
def rates_at_the_ends(lab, mu, kappa):
    """Condition number 1, and condition numbers in the millions."""
    results = {}
    for name, L in {"kappa 1": mu, "huge kappa": mu * kappa, "kappa 4": 4.0 * mu}.items():
        results[name] = [list(lab.optimal_gd(mu, L)), list(lab.optimal_heavy_ball(mu, L))]
        results[f"{name}, gap"] = [1.0 - answer[-1] for answer in results[name]]
    results["no step"] = lab.gd_rate(mu, 2.0 * mu, 0.0)
    return results


def quadratic(rng, trial):
    n = [3, 2, 1, 7][trial]
    q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    H = (q * 10.0 ** rng.uniform(-1, 2, n)) @ q.T
    return {
        "w": rng.standard_normal(n),
        "minimum": rng.standard_normal(n),
        "H": (H + H.T) / 2.0,
        "damping": float(10.0 ** rng.uniform(-1, 1)),
    }


@check(
    exercise="E7",
    points=4,
    trials=4,
    inputs=quadratic,
    tolerance=Tolerance(relative=1e-8, absolute=1e-10),
    hint="w − (H + λI)⁻¹g, by np.linalg.solve; the damping goes on the diagonal alone.",
)
def newton(lab, w, minimum, H, damping):
    """One step to the minimum of a quadratic, damped steps, and a Hessian that is not positive."""
    g = H @ (w - minimum)
    try:
        singular = lab.newton_step(w, g, np.outer(w, w), damping)
    except np.linalg.LinAlgError as error:  # whoever damps in another way may not damp at all
        singular = str(error)
    return {
        "to the minimum": lab.newton_step(w, g, H),
        "damped": lab.newton_step(w, g, H, damping),
        "much damped": lab.newton_step(w, g, H, damping=1e4),
        "singular but damped": singular,
        "downwards curved": lab.newton_step(w, g, -H),
        "w afterwards": w,
        "H afterwards": H,
    }
