"""The experiments of the scaling lab: every configuration is drawn anew, so no published number helps.

Counts are compared as exact integers; rates with a few units in the last place. The fits are compared
with the reference's from the same starts, on runs of which some went wrong.
"""

import numpy as np

from grader.checks import Tolerance, check

RATE = Tolerance(relative=1e-11, absolute=0.0)
LEAST_SQUARES = Tolerance(relative=1e-5, absolute=0.0)
FITTED = Tolerance(relative=0.01, absolute=0.0)


def config(rng, trial, *, large=False):
    """A model with every switch in either position over four trials; heads need not fill the width.

    Large ones are multiples of a prime, not of a power of two: a count that went through a float is not
    the count.
    """
    unit = 251 if large else 1
    key_heads = int(rng.integers(1, 5)) * (4 if large else 1)
    return {
        "L": int(rng.integers(2, 120 if large else 7)),
        "D": int(rng.integers(3, 40)) * unit,
        "Hq": key_heads * int(rng.integers(1, 4) if trial % 4 else 1),
        "Hkv": key_heads,
        "Dh": int(rng.integers(2, 12)) * (16 if large else 1),
        "F": int(rng.integers(3, 90)) * unit,
        "V": int(rng.integers(11, 900)) * unit,
        "mlp": ("relu", "swiglu")[trial % 2],
        "tied": trial % 4 in (1, 2),
        "bias": trial % 4 in (2, 3),
        "learned_pos": trial % 8 in (3, 4, 6),
        "S": int(rng.integers(5, 70)) * unit,
    }


def configured(rng, trial):
    return {"cfg": config(rng, trial)}


def configured_large(rng, trial):
    return {"cfg": config(rng, trial, large=True)}


def batch(rng, trial, *, large=False):
    """A configuration with a batch; one token and one sequence are among them."""
    return {
        "cfg": config(rng, trial, large=large),
        "B": 1 if trial == 1 else int(rng.integers(2, 9000 if large else 50)),
        "S": 1 if trial == 2 else int(rng.integers(2, 500_000 if large else 60)),
    }


# --- E1 --------------------------------------------------------------------------------------------


@check(
    exercise="E1",
    points=6,
    trials=8,
    inputs=configured,
    hint="Go through the table part by part. Keys and values are D × Hkv·Dh; a bias is as long as its "
    "matrix's output; there is one norm more than two a layer; a tied head costs nothing.",
)
def parameters(lab, cfg):
    """Parameters of every part of a small model."""
    return lab.n_params(lab.Cfg(**cfg))


@check(
    exercise="E1",
    points=3,
    trials=3,
    inputs=lambda rng: {
        "layers": int(rng.integers(2, 100)),
        "vocabulary": int(rng.integers(1_000, 300_000)),
        "width": int(rng.integers(1, 40)) * 128,
    },
    hint="GPT-2 has biases, learned positions and a tied head; Llama has none of them, and three "
    "matrices in its MLP.",
)
def known_models(lab, layers, vocabulary, width):
    """Relatives of GPT-2 and of Llama: the same parts, another depth, width and vocabulary."""
    answers = {}
    for name, model in (("GPT-2", lab.GPT2), ("Llama", lab.LLAMA_7B)):
        changed = dict(model.__dict__) | {"L": layers, "V": vocabulary, "D": width}
        answers[name] = lab.n_params(lab.Cfg(**changed))["total"]
    return answers


@check(
    exercise="E1",
    points=6,
    trials=8,
    hidden=True,
    inputs=configured_large,
    hint="Check grouped queries, heads that do not fill the width, and biases, each by itself.",
)
def parameters_of_large_models(lab, cfg):
    """Parameters of large models with every combination of switches."""
    c = lab.Cfg(**cfg)
    return {
        "parts": lab.n_params(c),
        "asked again": lab.n_params(c),
        "configuration afterwards": dict(c.__dict__),
    }


# --- E2 --------------------------------------------------------------------------------------------


@check(
    exercise="E2",
    points=5,
    trials=6,
    inputs=batch,
    hint="Two operations for each multiply-add. Scores and mix are made in each of the Hq query heads; "
    "the embedding is looked up, the head multiplied.",
)
def forward_operations(lab, cfg, B, S):
    """Operations of a forward pass, part by part."""
    return lab.forward_flops(lab.Cfg(**cfg), B, S)


@check(
    exercise="E2",
    points=2,
    trials=4,
    inputs=batch,
    hint="Query i sees i + 1 keys, itself included: S(S+1)/2 pairs. Only scores and mix change.",
)
def causal_operations(lab, cfg, B, S):
    """The same when a query sees only what came before it."""
    return lab.forward_flops(lab.Cfg(**cfg), B, S, causal=True)


@check(
    exercise="E2",
    points=4,
    trials=4,
    inputs=lambda rng, trial: (
        batch(rng, trial)
        | {"N": int(rng.integers(10**6, 10**12)), "tokens": int(rng.integers(10**8, 10**13))}
    ),
    tolerance=RATE,
    hint="The backward pass costs two products for each one of the forward pass: three forward passes "
    "in all, six operations for each parameter and token.",
)
def training_operations(lab, cfg, B, S, N, tokens):
    """Operations of a training step, and the rule of thumb for a whole run."""
    return {"step": lab.train_flops(lab.Cfg(**cfg), B, S), "run": float(lab.six_nd(N, tokens))}


@check(
    exercise="E2",
    points=4,
    trials=6,
    hidden=True,
    inputs=lambda rng, trial: batch(rng, trial, large=True),
    hint="Count with integers, and try a batch of one sequence and a sequence of one token by hand.",
)
def operations_of_large_models(lab, cfg, B, S):
    """Operations of large models, forward, causal and training."""
    c = lab.Cfg(**cfg)
    return {
        "forward": lab.forward_flops(c, B, S),
        "causal": lab.forward_flops(c, B, S, causal=True),
        "step": lab.train_flops(c, B, S),
        "configuration afterwards": dict(c.__dict__),
    }


# --- E3 --------------------------------------------------------------------------------------------


@check(
    exercise="E3",
    points=5,
    trials=3,
    inputs=lambda rng: {"N": int(rng.integers(10**6, 10**12))},
    hint="Adam keeps two moments in fp32. Mixed precision adds a master copy in fp32 to weights and "
    "gradients of two bytes each.",
)
def training_state(lab, N):
    """Bytes of weights, gradients, master copy and optimizer, for each recipe."""
    sizes = {
        recipe: lab.state_bytes(N, recipe) for recipe in ("fp32_adam", "mixed_adam", "fp16_sgd")
    }
    try:
        lab.state_bytes(N, "int8_adam")
    except Exception as error:
        return sizes | {"an unknown recipe": type(error).__name__}
    return sizes | {"an unknown recipe": "accepted"}


def layer(rng, *, large=False):
    heads = int(rng.integers(2, 17))
    return {
        "s": int(rng.integers(3, 300)) * (64 if large else 1),
        "b": int(rng.integers(1, 9)),
        "h": heads * int(rng.integers(3, 65)) * (4 if large else 1),
        "a": heads,
        "t": int(rng.integers(2, 17)),
    }


@check(
    exercise="E3",
    points=4,
    trials=4,
    inputs=layer,
    tolerance=RATE,
    hint="Tensor parallelism divides only the 24 and the scores; sequence parallelism divides the 10 as "
    "well. Selective recomputation drops the scores' term, full keeps 2sbh.",
)
def activations(lab, s, b, h, a, t):
    """Activations of a layer, on one GPU and on several, with and without recomputation."""
    return {
        "one GPU": float(lab.activation_bytes(s, b, h, a)),
        "tensor parallel": float(lab.activation_bytes(s, b, h, a, t=t)),
        "and sequence parallel": float(lab.activation_bytes(s, b, h, a, t=t, sp=True)),
        "selective": float(lab.activation_bytes(s, b, h, a, t=t, recompute="selective")),
        "full": float(lab.activation_bytes(s, b, h, a, recompute="full")),
    }


@check(
    exercise="E3",
    points=6,
    trials=6,
    hidden=True,
    inputs=lambda rng: layer(rng, large=True) | {"N": int(rng.integers(10**9, 10**13))},
    tolerance=RATE,
    hint="Every cell of both tables, also t = 1 with sequence parallelism and full recomputation on "
    "several GPUs.",
)
def memory_everywhere(lab, s, b, h, a, t, N):
    """Every combination of parallelism and recomputation, and the state in every recipe."""
    found = {}
    for recompute in ("none", "selective", "full"):
        for gpus in (1, t):
            for sp in (False, True):
                size = lab.activation_bytes(s, b, h, a, t=gpus, sp=sp, recompute=recompute)
                found[f"{recompute}, t={gpus}, sp={sp}"] = float(size)
    for recipe in ("fp32_adam", "mixed_adam", "fp16_sgd"):
        found[recipe] = lab.state_bytes(N, recipe)
    return found


# --- E4 --------------------------------------------------------------------------------------------


def run(rng):
    return {
        "B": int(rng.integers(1, 4096)),
        "S": int(rng.integers(64, 8192)),
        "sec": float(rng.uniform(0.2, 40)),
        "N": float(rng.uniform(1e8, 1e12)),
        "D": float(rng.uniform(1e9, 2e13)),
        "n_gpu": int(rng.integers(2, 5000)),
        "peak": float(rng.uniform(1e14, 2e15)),
        "share": float(rng.uniform(0.1, 0.7)),
    }


@check(
    exercise="E4",
    points=4,
    trials=3,
    inputs=run,
    tolerance=RATE,
    hint="Six operations for each parameter and token; the peak is for each GPU; a day has 86 400 s.",
)
def throughput_and_time(lab, B, S, sec, N, D, n_gpu, peak, share):
    """Tokens a second, model FLOPs utilisation, and days."""
    return {
        "tokens a second": float(lab.tokens_per_second(B, S, sec)),
        "mfu": float(lab.mfu(N, 1e5, n_gpu, peak)),
        "days": float(lab.days(N, D, n_gpu, peak, share)),
    }


@check(
    exercise="E4",
    points=3,
    trials=4,
    inputs=lambda rng: {
        "serial": float(rng.uniform(0.01, 0.9)),
        "n": int(rng.integers(2, 1000)),
    },
    tolerance=RATE,
    hint="Amdahl adds up times, Gustafson adds up work. On one processor both are 1.",
)
def speed_up_laws(lab, serial, n):
    """Amdahl and Gustafson, also for purely serial and purely parallel work."""
    found = {}
    for share in (serial, 0.0, 1.0):
        for processors in (n, 1):
            found[f"amdahl({share}, {processors})"] = float(lab.amdahl(share, processors))
            found[f"gustafson({share}, {processors})"] = float(lab.gustafson(share, processors))
    return found


@check(
    exercise="E4",
    points=3,
    trials=4,
    hidden=True,
    inputs=run,
    tolerance=RATE,
    hint="Throughput gives utilisation, and utilisation gives the time.",
)
def a_whole_run(lab, B, S, sec, N, D, n_gpu, peak, share):
    """From the time of a step to the days of a run."""
    tps = lab.tokens_per_second(B, S, sec)
    reached = lab.mfu(N, tps, n_gpu, peak)
    return {
        "mfu": float(reached),
        "days at this utilisation": float(lab.days(N, D, n_gpu, peak, reached)),
        "days": float(lab.days(N, D, n_gpu, peak, share)),
        "twice the GPUs": float(lab.days(N, D, 2 * n_gpu, peak, share)),
        "amdahl": float(lab.amdahl(share, n_gpu)),
        "gustafson": float(lab.gustafson(share, n_gpu)),
    }


# --- E5 --------------------------------------------------------------------------------------------


def cluster(rng, trial):
    """A configuration in which every count is divisible by the degree."""
    degree = (4, 2, 8, 16)[trial % 4]
    cfg = config(rng, trial)
    cfg |= {"D": 16 * int(rng.integers(1, 40)), "L": int(rng.integers(3, 60))}
    return {
        "cfg": cfg,
        "B": int(rng.integers(1, 40)),
        "S": int(rng.integers(1, 3000)),
        "degree": degree,
        "stage": cfg["L"] if trial == 0 else int(rng.integers(1, cfg["L"])),
    }


@check(
    exercise="E5",
    points=4,
    trials=5,
    inputs=cluster,
    hint="Two bytes for each gradient of the stage's matrices; two bytes for each activation of the "
    "boundary, whatever is behind it.",
)
def data_and_pipeline(lab, cfg, B, S, degree, stage):
    """What data and pipeline parallelism hand in."""
    c = lab.Cfg(**cfg)
    return {kind: lab.parallel_bytes(c, B, S, kind, degree, stage) for kind in ("dp", "pp")}


@check(
    exercise="E5",
    points=5,
    trials=5,
    inputs=cluster,
    hint="Four all-reduces a layer, two forward and two backward. The input of an all-gather is one "
    "shard; the weights are gathered twice.",
)
def tensor_and_fsdp(lab, cfg, B, S, degree, stage):
    """What tensor parallelism and FSDP hand in."""
    c = lab.Cfg(**cfg)
    return {kind: lab.parallel_bytes(c, B, S, kind, degree, stage) for kind in ("tp", "fsdp")}


@check(
    exercise="E5",
    points=3,
    trials=3,
    inputs=lambda rng: {
        "B": int(rng.integers(1, 600)),
        "S": int(rng.integers(1, 9000)),
        "degree": int(rng.choice([2, 4, 8, 16, 64])),
        "stage": int(rng.integers(1, 33)),
    },
    hint="n is 12·D² for each layer of this model.",
)
def homework_two(lab, B, S, degree, stage):
    """The model of Homework 2 with other batches and degrees."""
    return {
        kind: lab.parallel_bytes(lab.HOMEWORK_2, B, S, kind, degree, stage)
        for kind in ("dp", "pp", "tp", "fsdp")
    }


@check(
    exercise="E5",
    points=8,
    trials=6,
    hidden=True,
    inputs=cluster,
    hint="Grouped queries, three matrices, biases that do not count, a stage of a few layers, a degree "
    "of 1, and a kind that there is not.",
)
def every_kind_of_parallelism(lab, cfg, B, S, degree, stage):
    """All four kinds for stages of any size, on one GPU too."""
    c = lab.Cfg(**cfg)
    found = {
        f"{kind} on {gpus}": lab.parallel_bytes(c, B, S, kind, gpus, stage)
        for kind in ("dp", "pp", "tp", "fsdp")
        for gpus in (1, degree)
    }
    for gpus in (1, degree):
        try:
            lab.parallel_bytes(c, B, S, "ep", gpus, stage)
            found[f"an unknown kind on {gpus}"] = "accepted"
        except Exception as error:
            found[f"an unknown kind on {gpus}"] = type(error).__name__
    return found | {"configuration afterwards": dict(c.__dict__)}


# --- E6 --------------------------------------------------------------------------------------------


def curve(rng, *, uneven=False):
    """Sizes and losses of runs with one budget: a parabola in ln N, and a little noise."""
    count = int(rng.integers(5, 12))
    centre = rng.uniform(np.log(1e8), np.log(1e11))
    reach = rng.uniform(0.6, 2.0)
    x = centre + reach * (rng.uniform(-1, 1.4, count) if uneven else np.linspace(-1, 1.2, count))
    bottom = centre + reach * rng.uniform(-0.3, 0.5)
    losses = rng.uniform(2, 3) + rng.uniform(0.02, 0.2) * (x - bottom) ** 2
    return {"N": np.exp(x), "L": losses + rng.normal(0, 5e-4, count)}


@check(
    exercise="E6",
    points=3,
    trials=4,
    inputs=curve,
    tolerance=LEAST_SQUARES,
    hint="Fit a parabola in ln N by least squares; its lowest point is at −p₁/2p₂, and e to the power "
    "of that is a size.",
)
def valley(lab, N, L):
    """The best size of a curve of runs with one budget."""
    return float(lab.isoflop_optimum(N, L))


def law(rng, *, wide=False):
    return {
        "C": float(10 ** rng.uniform(18, 26)),
        "fit": {
            "E": float(rng.uniform(1.2, 2.2)),
            "A": float(rng.uniform(100, 900)),
            "B": float(rng.uniform(200, 3000)),
            "alpha": float(rng.uniform(0.2, 0.6) if wide else rng.uniform(0.36, 0.45)),
            "beta": float(rng.uniform(0.2, 0.6) if wide else rng.uniform(0.25, 0.33)),
        },
    }


@check(
    exercise="E6",
    points=3,
    trials=4,
    inputs=law,
    tolerance=Tolerance(relative=1e-9, absolute=0.0),
    hint="Derive it: put D = C/6N into the law and set the derivative by N to zero. All of the budget "
    "is spent: 6ND = C.",
)
def optimum_of_the_law(lab, C, fit):
    """The best size and number of tokens for a budget."""
    N, D = lab.compute_optimal(C, fit)
    return {"N": float(N), "D": float(D)}


@check(
    exercise="E6",
    points=4,
    trials=5,
    hidden=True,
    inputs=lambda rng: curve(rng, uneven=True) | law(rng, wide=True),
    tolerance=LEAST_SQUARES,
    hint="Runs come in any order and at any distance; α may be smaller than β.",
)
def best_sizes(lab, N, L, C, fit):
    """Curves with sizes in no order, laws with any exponents."""
    best, tokens = lab.compute_optimal(C, fit)
    return {
        "of the curve": float(lab.isoflop_optimum(N, L)),
        "of the law": float(best),
        "tokens": float(tokens),
    }


# --- E7 --------------------------------------------------------------------------------------------


def runs(rng, count, *, failed=0, noise=2e-4):
    """Runs of a law drawn at random; some of them end with far too high a loss."""
    truth = [rng.uniform(1.5, 2.0), rng.uniform(300, 600), rng.uniform(600, 2200)]
    alpha, beta = rng.uniform(0.31, 0.37), rng.uniform(0.31, 0.37)
    N, D = 10 ** rng.uniform(7.5, 10.3, count), 10 ** rng.uniform(9, 11.6, count)
    L = (truth[0] + truth[1] * N**-alpha + truth[2] * D**-beta) * np.exp(
        rng.normal(0, noise, count)
    )
    L[rng.choice(count, failed, replace=False)] *= rng.uniform(1.1, 1.6, failed)
    return {"N": N, "D": D, "L": L}


def point(rng, trial):
    """Runs and a point at which to evaluate.

    The third is so bad that eᶻ overflows; the fifth so steep that what is largest in one run is too
    small for a float beside what is largest in another.
    """
    theta = np.array([6.0, 7.5, 0.6, 0.34, 0.34]) + rng.normal(0, [0.02, 0.02, 0.003, 1e-3, 1e-3])
    if trial == 1:
        theta = theta + rng.normal(0, [2, 2, 1, 0.1, 0.1])
    if trial == 2:
        theta[:3] += 900.0
    if trial == 4:
        theta = np.array([5000.0, -5000.0, -5000.0, 250.0, 0.3]) + rng.normal(0, 0.01, 5)
    return runs(rng, int(rng.integers(4, 30))) | {"theta": theta}


@check(
    exercise="E7",
    points=3,
    trials=5,
    inputs=point,
    hint="The residual is ln L̂ − ln L; squared within δ = 10⁻³, straight beyond; summed over the runs. "
    "Subtract the largest z before you exponentiate.",
)
def value_of_the_fit(lab, N, D, L, theta):
    """The sum of Huber's losses."""
    return float(lab.objective(theta, N, D, L)[0])


@check(
    exercise="E7",
    points=3,
    trials=5,
    inputs=point,
    hint="The derivative of LSE is a softmax; that of Huber's loss is the residual, cut off at ±δ. "
    "Where theta has −α ln N, the derivative has −ln N.",
)
def gradient_of_the_fit(lab, N, D, L, theta):
    """Its gradient."""
    return np.asarray(lab.objective(theta, N, D, L)[1])


STARTS = np.array(
    [[5.0, 6.0, 0.4, 0.4, 0.4], [0.0, 5.0, -0.5, 0.5, 0.5], [7.0, 8.0, 0.8, 0.3, 0.3]]
)


HOPELESS = np.array([20.0, -9.0, 2.5, 2.0, -0.2])


@check(
    exercise="E7",
    points=4,
    trials=2,
    inputs=lambda rng: runs(rng, 60, failed=3) | {"inits": STARTS + rng.normal(0, 0.05, (3, 5))},
    tolerance=FITTED,
    limits={"check_wall_seconds": 30},
    hint="One fit from each start; the best value wins. Return E = exp(e), A = exp(a), B = exp(b).",
)
def fitted_law(lab, N, D, L, inits):
    """The law of sixty runs, three of which went wrong."""
    return lab.fit_parametric(N, D, L, inits)


@check(
    exercise="E7",
    points=5,
    trials=2,
    hidden=True,
    inputs=lambda rng: (
        runs(rng, 90, failed=8)
        | {
            "inits": np.vstack(
                [HOPELESS, rng.permutation(STARTS) + rng.normal(0, 0.05, (3, 5)), HOPELESS - 0.3]
            )
        }
    ),
    tolerance=FITTED,
    limits={"check_wall_seconds": 30},
    hint="Starts may be in any order and some are hopeless; runs that failed must not pull the law.",
)
def fit_with_failed_runs(lab, N, D, L, inits):
    """Ninety runs, eight of which went wrong, and hopeless starts among the good ones."""
    found = lab.fit_parametric(N, D, L, inits)
    value, _ = lab.objective(
        [
            np.log(found["A"]),
            np.log(found["B"]),
            np.log(found["E"]),
            found["alpha"],
            found["beta"],
        ],
        N,
        D,
        L,
    )
    return found | {"value": float(value)}
