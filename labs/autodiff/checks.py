"""The experiments of the autodiff lab: each runs on the student's notebook and on the reference.

Every check draws new inputs for each trial, so no answer can be written down beforehand, and keeps away
from exact kinks. E3 and E6 bring pullbacks of their own through `lab.record`, so an exercise is not
lost because an earlier one is still missing.
"""

import numpy as np

from grader.checks import Tolerance, check

EXACT = Tolerance(
    relative=1e-12, absolute=1e-13
)  # one operation: no difference quotient is that good
CLOSE = Tolerance(relative=1e-9, absolute=1e-11)
LARGE = (
    20_011  # entries (a prime); a dense Jacobian of that size needs 3.2 GB, the jail has far less
)


def away_from_zero(rng, *shape, low=0.3, high=2.0):
    """Values of either sign that no kink or division by zero is near."""
    size = rng.uniform(low, high, shape) * rng.choice([-1.0, 1.0], shape)
    return float(size) if shape == () else size


# --- E1: dual numbers ------------------------------------------------------------------------------


def two_duals(rng):
    return {name: away_from_zero(rng) for name in ("a", "da", "b", "db")}


@check(
    exercise="E1",
    points=3,
    trials=4,
    inputs=two_duals,
    tolerance=EXACT,
    hint="Write a + ȧε and b + ḃε, multiply out, and drop ε². A quotient has b² below, and its "
    "numerator is ȧb − aḃ.",
)
def dual_arithmetic(lab, a, da, b, db):
    """Sums, differences, products and quotients of two dual numbers."""
    x, y = lab.Dual(a, da), lab.Dual(b, db)
    results = {"-x": -x, "x + y": x + y, "x - y": x - y, "x * y": x * y, "x / y": x / y}
    results |= {"x afterwards": x, "y afterwards": y}
    return {name: [dual.value, dual.tangent] for name, dual in results.items()}


@check(
    exercise="E1",
    points=2,
    trials=4,
    inputs=lambda rng: {
        "a": away_from_zero(rng),
        "da": away_from_zero(rng),
        "k": away_from_zero(rng),
    },
    tolerance=EXACT,
    hint="k - x calls x.__rsub__(k): the number comes first. A number is a dual with the tangent 0.",
)
def dual_and_numbers(lab, a, da, k):
    """Dual numbers with plain numbers on either side."""
    x = lab.Dual(a, da)
    results = {"x + k": x + k, "x - k": x - k, "x * k": x * k, "x / k": x / k}
    results |= {"k + x": k + x, "k - x": k - x, "k * x": k * x, "k / x": k / x}
    return {name: [dual.value, dual.tangent] for name, dual in results.items()}


@check(
    exercise="E1",
    points=3,
    trials=4,
    inputs=lambda rng: {
        "a": float(rng.uniform(0.3, 2.0)),
        "da": away_from_zero(rng),
        "b": away_from_zero(rng),
        "db": away_from_zero(rng),
        "n": int(rng.integers(2, 5)),
    },
    tolerance=EXACT,
    hint="Two terms: b·a^(b−1)·ȧ, which is 0 if b is 0, and a^b·ln(a)·ḃ, which is left out if ḃ is 0 "
    "or a is not positive.",
)
def dual_powers(lab, a, da, b, db, n):
    """Powers: fixed, negative, zero and dual exponents, and bases that are negative or plain."""
    x, y, minus = lab.Dual(a, da), lab.Dual(b, db), lab.Dual(-a, da)
    results = {"x ** n": x**n, "x ** -n": x**-n, "x ** 0.5": x**0.5, "x ** y": x**y}
    results |= {"n ** x": n**x, "x ** 0": x**0, "x ** 1": x**1}
    results |= {"(-x) ** n": minus**n, "(-x) ** -n": minus**-n, "(-x) ** 0": minus**0}
    results |= {"(-x) ** (n + 0ε)": minus ** lab.Dual(float(n), 0.0)}
    results |= {"(-x) ** (n + ε)": minus ** lab.Dual(float(n), 1.0)}
    results |= {"(0 + ε) ** 0": lab.Dual(0.0, da) ** 0, "(0 + ε) ** n": lab.Dual(0.0, da) ** n}
    return {name: [dual.value, dual.tangent] for name, dual in results.items()}


@check(
    exercise="E1",
    points=3,
    trials=4,
    inputs=lambda rng: {
        "a": float(rng.uniform(0.3, 2.0)),
        "z": away_from_zero(rng),
        "da": away_from_zero(rng),
    },
    tolerance=EXACT,
    hint="The tangent of φ(a) is φ'(a)·ȧ: sin' = cos, cos' = −sin, tanh' = 1 − tanh², ln' = 1/a.",
)
def dual_functions(lab, a, z, da):
    """exp, log, sin, cos, tanh and relu of a dual number."""
    x, y, minus = lab.Dual(a, da), lab.Dual(z, da), lab.Dual(-z, da)
    results = {"log": x.log(), "exp": y.exp(), "sin": y.sin(), "cos": y.cos(), "tanh": y.tanh()}
    results |= {"relu(z)": y.relu(), "relu(-z)": minus.relu(), "y afterwards": y}
    return {name: [dual.value, dual.tangent] for name, dual in results.items()}


@check(
    exercise="E1",
    points=2,
    trials=3,
    inputs=lambda rng, trial: {
        "x": np.array([2.0, 5.0]) if trial == 0 else rng.uniform(0.5, 4.0, 2),
        "v": np.array([1.0, 0.0]) if trial == 0 else away_from_zero(rng, 2),
    },
    tolerance=EXACT,
    hint="At (2, 5) along (1, 0) the value is 11.652 and the tangent 5.5.",
)
def jvp_survey_example(lab, x, v):
    """ln x₁ + x₁x₂ − sin x₂ and the two functions of Homework 1, in one sweep."""
    calls = []

    def f(x):
        calls.append(len(x))
        survey = lab.log(x[0]) + x[0] * x[1] - lab.sin(x[1])
        return [survey, (x[0] + x[1]) ** 2, (x[0] - x[1]) ** 2]

    values, tangents = lab.jvp(f, x, v)
    return {"f(x)": values, "J v": tangents, "evaluations of f": len(calls)}


@check(
    exercise="E1",
    points=2,
    trials=3,
    hidden=True,
    inputs=lambda rng: {"x": rng.uniform(0.4, 1.5, 3), "v": away_from_zero(rng, 3)},
    tolerance=CLOSE,
    hint="One evaluation of f for all tangents; an output may be a plain number; the results are "
    "float64 arrays with one entry for each output.",
)
def jvp_compositions(lab, x, v):
    """Longer programs with branches, repeated use and constant outputs."""

    def f(x):
        a, b, c = x
        large = a * b if b > c else c / a
        power = (2.0 - a) ** 2 / (1.0 + lab.exp(-b * c))
        return [lab.tanh(large) * lab.cos(c), power, 3.0, c, lab.relu(a - 3.0), 2.0**a / a**b]

    values, tangents = lab.jvp(f, x, v)
    one_value, one_tangent = lab.jvp(lambda x: [x[0] * x[0]], x[:1], v[:1])
    return {"f(x)": values, "J v": tangents, "square": one_value, "its tangent": one_tangent}


# --- E2: local pullbacks ---------------------------------------------------------------------------

UNBROADCAST = [
    ((2, 3), (3,)),
    ((2, 3), (2, 1)),
    ((2, 3), (2, 3)),
    ((4, 2, 3), (1, 3)),
    ((2, 3, 5), (3, 1)),
    ((7,), ()),
    ((3, 1, 5), (1, 5)),
    ((2, 1, 3), (1, 1, 3)),
    ((1, 4), (1,)),
    ((0, 3), (3,)),
]


@check(
    exercise="E2",
    points=3,
    trials=10,
    inputs=lambda rng, trial: {
        "g": rng.standard_normal(UNBROADCAST[trial][0]),
        "shape": UNBROADCAST[trial][1],
    },
    tolerance=EXACT,
    hint="Sum over the axes that numpy put in front, then over the axes of length 1, with keepdims.",
)
def unbroadcast_shapes(lab, g, shape):
    """The adjoint of broadcasting sums over the copies and has the shape of the original."""
    return {"gradient": np.asarray(lab.unbroadcast(g, shape))}


PAIRS = [((3,), (3,)), ((2, 3), (3,)), ((2, 1), (2, 3)), ((), (4,)), ((3, 1), (1, 4))]


@check(
    exercise="E2",
    points=4,
    trials=5,
    inputs=lambda rng, trial: {
        "x": np.asarray(away_from_zero(rng, *PAIRS[trial][0])),
        "y": np.asarray(away_from_zero(rng, *PAIRS[trial][1])),
        "g": rng.standard_normal(np.broadcast_shapes(*PAIRS[trial])),
    },
    tolerance=EXACT,
    hint="z = x/y: x̄ = g/y and ȳ = −g·x/y². Each gradient goes through unbroadcast, with the shape "
    "of its own input.",
)
def arithmetic_vjps(lab, x, y, g):
    """The pullbacks of −, +, −, ×, ÷ on two arrays that broadcast."""
    return {
        "neg": lab.neg_vjp(g, -(x + y), x + y),
        "add": lab.add_vjp(g, x + y, x, y),
        "sub": lab.sub_vjp(g, x - y, x, y),
        "mul": lab.mul_vjp(g, x * y, x, y),
        "div": lab.div_vjp(g, x / y, x, y),
    }


STRETCHED = [((5, 1, 3), (2, 1)), ((1,), (7,)), ((2, 3, 1), (1, 5)), ((1, 1), (LARGE,))]


@check(
    exercise="E2",
    points=2,
    trials=4,
    hidden=True,
    inputs=lambda rng, trial: {
        "x": rng.uniform(0.3, 2.0, STRETCHED[trial][0]),
        "y": rng.uniform(0.3, 2.0, STRETCHED[trial][1]),
        "g": rng.uniform(0.3, 2.0, np.broadcast_shapes(*STRETCHED[trial])),
    },
    tolerance=EXACT,
    hint="Both operands may be stretched at once, arrays may be large or not contiguous, and neither "
    "g nor the operands may change.",
)
def arithmetic_vjps_broadcast(lab, x, y, g):
    """Both operands stretched, missing axes, strided and large arrays."""
    strided = np.repeat(g, 2, axis=-1)[..., ::2]  # the same numbers, not contiguous
    results = {
        "add": lab.add_vjp(strided, x + y, x, y),
        "sub": lab.sub_vjp(strided, x - y, x, y),
        "mul": lab.mul_vjp(strided, x * y, x, y),
        "div": lab.div_vjp(g, x / y, x, y),
        "swapped": lab.div_vjp(g, y / x, y, x),
    }
    results["g afterwards"] = np.array(strided)
    results["x afterwards"] = x
    return results


def powers(rng, trial):
    signs = rng.permutation([1.0, -1.0, 1.0, -1.0, 1.0, 1.0])
    return {
        "base": rng.uniform(0.3, 2.0, 6),
        "exponent": away_from_zero(rng, 2, 1),
        "signed": rng.uniform(0.3, 2.0, (2, 6)) * signs,
        "whole": np.array([3.0, 2.0, -1.0, -2.0, 0.0, 1.0]),
        "g": away_from_zero(rng, 2, 6),
    }


@check(
    exercise="E2",
    points=3,
    trials=3,
    inputs=powers,
    tolerance=EXACT,
    hint="z = x^y: x̄ = g·y·x^(y−1), and 0 where y = 0; ȳ = g·z·ln x, and 0 where x ≤ 0.",
)
def power_vjps(lab, base, exponent, signed, whole, g):
    """The pullback of x ** y: any exponent, negative bases, the exponents 0 and −1."""
    three = np.array(3.0)
    zero = np.array([0.0, 1.0])
    with np.errstate(all="ignore"):
        return {
            "x ** y": lab.pow_vjp(g, base**exponent, base, exponent),
            "negative bases": lab.pow_vjp(g, signed**whole, signed, whole),
            "x ** 3": lab.pow_vjp(g, signed**three, signed, three),
            "0 ** 0 and 1 ** 0": lab.pow_vjp(g[0, :2], zero**0.0, zero, np.array([0.0, 0.0])),
        }


@check(
    exercise="E2",
    points=3,
    trials=3,
    inputs=lambda rng, trial: {
        "x": away_from_zero(rng, *[(7,), (2, 1, 5), (LARGE,)][trial]),
        "g": away_from_zero(rng, *[(7,), (2, 1, 5), (LARGE,)][trial]),
    },
    tolerance=EXACT,
    hint="g times the derivative, entry by entry; no matrix. sin' = cos, cos' = −sin, ln' = 1/x, "
    "tanh' = 1 − out².",
)
def function_vjps(lab, x, g):
    """The pullbacks of exp, log, sin, cos, tanh and relu, also on long and strided arrays."""
    positive, strided = np.abs(x), np.repeat(g, 2, axis=-1)[..., ::2]
    return {
        "exp": lab.exp_vjp(strided, np.exp(x), x),
        "log": lab.log_vjp(g, np.log(positive), positive),
        "sin": lab.sin_vjp(g, np.sin(x), x),
        "cos": lab.cos_vjp(g, np.cos(x), x),
        "tanh": lab.tanh_vjp(g, np.tanh(x), x),
        "relu": lab.relu_vjp(strided, np.maximum(x, 0.0), x),
        "g afterwards": g,
    }


REDUCED = [
    ((3, 3), 0, False),
    ((3, 3), 1, False),
    ((2, 3), None, False),
    ((2, 3, 5), (0, 2), False),
    ((2, 3), -1, True),
    ((4, 1, 3), (-1, 0), False),
    ((5,), 0, False),
    ((2, 3), None, True),
]


def reduced(rng, trial):
    shape, axis, keepdims = REDUCED[trial]
    out = np.zeros(shape).sum(axis=axis, keepdims=keepdims)
    return {
        "x": rng.standard_normal(shape),
        "g": np.asarray(rng.standard_normal(out.shape)),
        "axis": axis,
        "keepdims": keepdims,
    }


@check(
    exercise="E2",
    points=2,
    trials=8,
    inputs=reduced,
    tolerance=EXACT,
    hint="Put the reduced axes back (np.expand_dims), then every summand gets g. A mean divides by how "
    "many entries were averaged, which is not always x.size.",
)
def sum_and_mean_vjps(lab, x, g, axis, keepdims):
    """The pullbacks of sum and mean for every kind of axis, with and without keepdims."""
    total = np.asarray(x.sum(axis=axis, keepdims=keepdims))
    mean = np.asarray(x.mean(axis=axis, keepdims=keepdims))
    return {
        "sum": lab.sum_vjp(g, total, x, axis=axis, keepdims=keepdims),
        "mean": lab.mean_vjp(g, mean, x, axis=axis, keepdims=keepdims),
    }


def tied(rng, trial):
    return reduced(rng, trial) | {
        "x": rng.integers(0, 3, REDUCED[trial][0]).astype(np.float64),
        "ties": np.array([1.0, 4.0, 4.0, 2.0, 4.0]),
    }


@check(
    exercise="E2",
    points=2,
    trials=8,
    hidden=True,
    inputs=tied,
    tolerance=EXACT,
    hint="Entries that tie share g equally: the shares of one maximum add up to its g.",
)
def max_vjps(lab, x, g, axis, keepdims, ties):
    """The pullback of max along any axis, with exact ties."""
    out = np.asarray(x.max(axis=axis, keepdims=keepdims))
    return {
        "max": lab.max_vjp(g, out, x, axis=axis, keepdims=keepdims),
        "three ties": lab.max_vjp(g.sum(), np.array(4.0), ties, axis=None, keepdims=False),
    }


TURNED = [
    ((2, 3, 5), (1, 2, 0)),
    ((2, 3, 5), (-1, 0, 1)),
    ((3, 3), None),
    ((2, 1, 3, 4), (2, 3, 1, 0)),
]


@check(
    exercise="E2",
    points=1,
    trials=4,
    hidden=True,
    inputs=lambda rng, trial: {
        "x": rng.standard_normal(TURNED[trial][0]),
        "axes": TURNED[trial][1],
    },
    tolerance=EXACT,
    hint="The adjoint of a permutation is its inverse (np.argsort), not the permutation itself.",
)
def shape_vjps(lab, x, axes):
    """The pullbacks of transpose and reshape."""
    g = np.transpose(x, axes) * 2.0
    flat = x.reshape(-1) * 3.0
    return {
        "transpose": lab.transpose_vjp(g, np.transpose(x, axes), x, axes=axes),
        "reshape": lab.reshape_vjp(flat, x.reshape(-1), x, shape=(x.size,)),
    }


# --- E3: topological order and accumulation --------------------------------------------------------


def random_graph(rng, trial):
    """Parents of each node by number; node k only uses earlier ones, some nodes are never reached."""
    size = [5, 9, 17][trial]
    parents = [[], []]
    for k in range(2, size):
        some = rng.choice(k, size=int(rng.integers(1, min(k, 3) + 1)), replace=True)
        parents.append([int(p) for p in {int(some[0]), *map(int, some)}] + [int(some[0])] * (k % 2))
    parents[size - 1] = [0, size - 2, size - 3, size - 2]
    return {"parents": parents, "out": size - 1}


def is_topological(inputs, outputs):
    parents, out, order = inputs["parents"], inputs["out"], outputs["order"]
    reachable, todo = set(), [out]
    while todo:
        node = todo.pop()
        if node not in reachable:
            reachable.add(node)
            todo.extend(parents[node])
    if not isinstance(order, list) or not all(isinstance(node, int) for node in order):
        return "topo_order must return a list of tensors"
    if len(order) != len(set(order)):
        return f"tensor {max(order, key=order.count)} is in the list more than once"
    if set(order) != reachable:
        missing, extra = sorted(reachable - set(order)), sorted(set(order) - reachable)
        return (
            f"missing: {missing or 'nothing'}; not part of the graph of `out`: {extra or 'nothing'}"
        )
    for place, node in enumerate(order):
        late = [p for p in parents[node] if order.index(p) > place]
        if late:
            return f"tensor {node} stands before its parent {late[0]}: the order is {order}"
    return None if order[-1] == out else "`out` must come last"


@check(
    exercise="E3",
    points=3,
    trials=3,
    inputs=random_graph,
    verify=is_topological,
    hint="Put a tensor into the list after all of its parents are in it, and never twice: remember what "
    "you have visited.",
)
def topological_order(lab, parents, out):
    """Each tensor of a random graph once, parents before children, `out` last."""
    tensors = []
    for number, used in enumerate(parents):
        if used:
            made = lab.record(0.0, [tensors[p] for p in used], lambda g: None)
        else:
            made = lab.Tensor(0.0, requires_grad=True)
        tensors.append(made)
    numbers = {id(tensor): number for number, tensor in enumerate(tensors)}
    return {"order": [numbers.get(id(tensor), -1) for tensor in lab.topo_order(tensors[out])]}


@check(
    exercise="E3",
    points=3,
    trials=3,
    inputs=lambda rng: {
        "a": away_from_zero(rng, 3),
        "b": away_from_zero(rng, 3),
        "seed": away_from_zero(rng, 3),
    },
    tolerance=EXACT,
    hint="Add up what arrives, in new arrays (a = a + b, never a += b): two parents may have been given "
    "the very same array, and the seed belongs to the caller.",
)
def used_twice(lab, a, b, seed):
    """A value used several times adds its gradients, and nobody's arrays are changed."""
    grads = {}
    for name in ("sum first", "sum last"):
        x, y = lab.Tensor(a, requires_grad=True), lab.Tensor(b, requires_grad=True)
        square = lab.record(a * a, (x, x), lambda g: (g * a, g * a))
        both = lab.record(a + b, (x, y), lambda g: (g, g))
        inner = lab.record(a * (a + b), (x, both), lambda g: (g * (a + b), g * a))
        last = (both, square, inner) if name == "sum first" else (inner, square, both)
        out = lab.record(a + b + a * a + a * (a + b), last, lambda g: (g, g, g))
        out.backward(seed)
        grads[name] = [x.grad, y.grad]
    return {**grads, "seed afterwards": seed}


@check(
    exercise="E3",
    points=3,
    trials=2,
    inputs=lambda rng: {"x": away_from_zero(rng, 2), "slopes": rng.uniform(0.3, 0.7, (60, 2))},
    tolerance=CLOSE,
    limits={"check_wall_seconds": 3},
    hint="60 diamonds have 2^60 paths but only 181 tensors: visit each tensor once.",
)
def stacked_diamonds(lab, x, slopes):
    """Sixty diamonds on top of each other are done in a moment."""
    leaf = lab.Tensor(x, requires_grad=True)
    top = leaf
    for p, q in slopes:
        left = lab.record(top.data * p, (top,), lambda g, p=p: (g * p,))
        right = lab.record(top.data * q, (top,), lambda g, q=q: (g * q,))
        top = lab.record(left.data + right.data, (left, right), lambda g: (g, g))
    top.backward(np.ones(2))
    return {"gradient": leaf.grad}


@check(
    exercise="E3",
    points=2,
    trials=1,
    inputs=lambda rng: {"x": away_from_zero(rng, 1), "slopes": rng.uniform(0.99, 1.01, 2000)},
    tolerance=CLOSE,
    hint="Python stops recursion at about 1,000 levels; use a list as your own stack.",
)
def deep_chain(lab, x, slopes):
    """A chain of 2,000 operations, as a recurrent network makes it."""
    leaf = lab.Tensor(x, requires_grad=True)
    top = leaf
    for slope in slopes:
        top = lab.record(top.data * slope, (top,), lambda g, slope=slope: (g * slope,))
    top.backward(np.ones(1))
    return {"gradient": leaf.grad}


@check(
    exercise="E3",
    points=2,
    trials=2,
    hidden=True,
    inputs=lambda rng: {"a": away_from_zero(rng, 2, 3), "seed": away_from_zero(rng, 2, 3)},
    tolerance=EXACT,
    hint="Without `grad` the seed is 1 and `out` must have one element; with `grad` the shapes must "
    "agree; everything else is a ValueError.",
)
def seeds(lab, a, seed):
    """backward() with and without a seed, and the calls that must be refused."""
    x = lab.Tensor(a, requires_grad=True)
    doubled = lab.record(2.0 * a, (x,), lambda g: (2.0 * g,))
    doubled.backward(seed)
    results = {"seeded": np.array(x.grad)}
    y = lab.Tensor(a, requires_grad=True)
    lab.record(a.sum(keepdims=True), (y,), lambda g: (np.broadcast_to(g, a.shape),)).backward()
    results["one element"] = y.grad
    leaf = lab.Tensor(a[0, 0], requires_grad=True)
    leaf.backward()
    results["the leaf itself"] = leaf.grad
    wrong = {
        "no seed for six elements": doubled.backward,
        "a seed of another shape": lambda: doubled.backward(seed[0]),
        "nothing requires gradients": lab.Tensor(a[0, 0]).backward,
    }
    for name, call in wrong.items():
        results[name] = "no error"
        try:
            call()
        except ValueError:
            results[name] = "ValueError"
    return results


@check(
    exercise="E3",
    points=2,
    trials=2,
    hidden=True,
    inputs=lambda rng: {"a": away_from_zero(rng, 3), "k": away_from_zero(rng, 3)},
    tolerance=EXACT,
    hint="A second backward adds to the leaves and starts with fresh intermediate gradients; only leaves "
    "that require gradients have a .grad; detach cuts; zero_grad makes it None.",
)
def repeated_backward(lab, a, k):
    """Several backward calls, detach, zero_grad and constants."""

    def copy(grad):
        return None if grad is None else np.array(grad)

    x, constant = lab.Tensor(a, requires_grad=True), lab.Tensor(k)
    y = lab.record(a * k, (x, constant), lambda g: (g * k, g * a))
    z = lab.record(a * k * 3.0, (y,), lambda g: (g * 3.0,))
    results = {}
    ones = np.ones(3)
    z.backward(ones)
    results["once"] = copy(x.grad)
    z.backward(ones)
    results["twice"] = copy(x.grad)
    y.backward(ones)
    results["and from the middle"] = copy(x.grad)
    results["middle, constant"] = [copy(y.grad), copy(constant.grad)]
    x.zero_grad()
    results["cleared"] = copy(x.grad)
    cut = y.detach()
    results["detached"] = [copy(cut.data), cut.requires_grad, len(cut.parents), y.requires_grad]
    product = lab.record(a * k * a, (cut, x), lambda g: (g * a, g * a * k))
    product.backward(ones)
    results["past the cut"] = copy(x.grad)
    p, q = lab.Tensor(a, requires_grad=True), lab.Tensor(k, requires_grad=True)
    total = lab.record(a + k, (p, q), lambda g: (g, g))
    total.backward(ones)
    total.backward(ones)
    results["a sum, twice"] = [copy(p.grad), copy(q.grad), copy(ones)]
    return results


# --- E4: matrix product, linear layer, gather ------------------------------------------------------


def matrices(rng, shapes):
    a, b = (rng.standard_normal(shape) for shape in shapes)
    return {"a": a, "b": b, "g": np.asarray(rng.standard_normal((a @ b).shape))}


SQUARE = [((3, 3), (3, 3)), ((2, 3), (3, 5)), ((1, 4), (4, 1)), ((7, 1), (1, 2))]


@check(
    exercise="E4",
    points=3,
    trials=4,
    inputs=lambda rng, trial: matrices(rng, SQUARE[trial]),
    tolerance=CLOSE,
    hint="Ā = G Bᵀ and B̄ = Aᵀ G; check that the shapes fit.",
)
def matmul_matrices(lab, a, b, g):
    """The pullback of a product of two matrices."""
    strided = np.repeat(g, 2, axis=1)[:, ::2]
    return {"gradients": lab.matmul_vjp(strided, a @ b, a, b), "g afterwards": np.array(strided)}


VECTORS = [
    ((3,), (3, 3)),
    ((3, 3), (3,)),
    ((4,), (4,)),
    ((3,), (3, 2)),
    ((5, 2), (2,)),
    ((1,), (1, 1)),
]


@check(
    exercise="E4",
    points=3,
    trials=6,
    inputs=lambda rng, trial: matrices(rng, VECTORS[trial]),
    tolerance=CLOSE,
    hint="Make a row of a one-dimensional a, a column of a one-dimensional b, and give g the axis that "
    "is missing; take the axis out again at the end.",
)
def matmul_vectors(lab, a, b, g):
    """The pullback of @ when one operand or both are one-dimensional."""
    return {"gradients": lab.matmul_vjp(g, np.asarray(a @ b), a, b)}


BATCHES = [
    ((3, 3, 3), (3, 3)),
    ((4, 2, 3), (4, 3, 2)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((3, 2), (5, 2, 4)),
    ((3,), (5, 3, 2)),
    ((5, 2, 3), (3,)),
    ((1, 2, 3), (7, 3, 1)),
]


@check(
    exercise="E4",
    points=3,
    trials=7,
    hidden=True,
    inputs=lambda rng, trial: matrices(rng, BATCHES[trial]),
    tolerance=CLOSE,
    hint="Transpose only the last two axes, and sum over every batch axis that was broadcast.",
)
def matmul_batches(lab, a, b, g):
    """The pullback of a batched product in which either operand may be broadcast."""
    return {"gradients": lab.matmul_vjp(g, a @ b, a, b)}


@check(
    exercise="E4",
    points=3,
    trials=4,
    inputs=lambda rng, trial: dict(
        zip(
            ("X", "W", "dY"),
            matrices(
                rng, [((3, 3), (3, 3)), ((5, 3), (3, 2)), ((1, 4), (4, 7)), ((6, 1), (1, 1))][trial]
            ).values(),
            strict=True,
        )
    ),
    tolerance=CLOSE,
    hint="dX = dY Wᵀ and dW = Xᵀ dY; nothing is divided by N.",
)
def linear_layer(lab, X, W, dY):
    """Homework 1: the gradients of Y = XW with respect to X and W."""
    dX, dW = lab.linear_backward(X, W, dY)
    return {"dX": dX, "dW": dW}


@check(
    exercise="E4",
    points=3,
    trials=3,
    hidden=True,
    inputs=lambda rng: {
        "x": rng.standard_normal((5, 3)),
        "rows": rng.permutation([0, 1, 1, -1, 4, 1, 3]),
        "columns": rng.permutation([2, 2, 2, 0, -1, 2, 0]),
        "block": rng.integers(0, 5, (2, 4)),
        "g": rng.standard_normal((7, 4, 3)),
    },
    tolerance=EXACT,
    hint="Scatter-add: zeros like x, then np.add.at, so that an index that occurs twice receives both.",
)
def gather(lab, x, rows, columns, block, g):
    """The pullback of indexing with ints, slices, and arrays in which an index occurs twice."""
    results = {}
    indices = {
        "repeated rows": rows,
        "repeated places": (rows, columns),
        "a block of rows": block,
        "an int": 2,
        "a negative int": -1,
        "a slice": slice(4, None, -2),
        "slices and columns": (slice(1, 4), columns),
        "one entry": (3, 1),
    }
    for name, index in indices.items():
        out = np.asarray(x[index])
        given = np.resize(g, out.shape)
        results[name] = lab.getitem_vjp(given, out, x, index=index)
    return {**results, "x afterwards": x}


# --- E5: Jacobians ---------------------------------------------------------------------------------


@check(
    exercise="E5",
    points=3,
    trials=3,
    inputs=lambda rng, trial: {
        "x": np.array([2.0, 4.0, 1.0]) if trial == 0 else rng.uniform(0.5, 2.0, 3),
    },
    tolerance=CLOSE,
    hint="One jvp for each of the n unit vectors gives one column; J has shape (m, n).",
)
def jacobian_forward(lab, x):
    """Columns by forward mode: n sweeps and n evaluations."""
    calls = []

    def f(x):
        calls.append(len(x))
        return [(x[0] + x[1]) ** 2, lab.sin(x[1]) * x[2] / x[0]]

    J, sweeps = lab.jacobian(f, x, "fwd")
    return {"J": J, "sweeps": sweeps, "evaluations of f": len(calls)}


@check(
    exercise="E5",
    points=4,
    trials=3,
    inputs=lambda rng, trial: {
        "x": np.array([2.0, 4.0, 1.0]) if trial == 0 else rng.uniform(0.5, 2.0, 3),
    },
    tolerance=CLOSE,
    hint="Evaluate f once on n scalar tensors, then one backward for each output; clear the gradients "
    "between the rows.",
)
def jacobian_reverse(lab, x):
    """Rows by reverse mode: m sweeps and one evaluation."""
    calls = []

    def f(x):
        calls.append(len(x))
        shared = lab.exp(x[0] * x[1] / 8.0)
        return [
            (x[0] - x[1]) ** 2 * shared,
            lab.tanh(shared - x[2]),
            lab.log(x[2]) + 2.0 / x[0],
            x[1],
        ]

    J, sweeps = lab.jacobian(f, x, "rev")
    return {"J": J, "sweeps": sweeps, "evaluations of f": len(calls)}


@check(
    exercise="E5",
    points=3,
    trials=2,
    hidden=True,
    inputs=lambda rng: {"x": rng.uniform(0.5, 2.0, 4)},
    tolerance=CLOSE,
    hint="A constant output has a row of zeros; n and m may differ, and either may be 1; both modes must "
    "agree; another mode is a ValueError.",
)
def jacobian_traps(lab, x):
    """Constant outputs, n = 1, m = 1, outputs that are inputs, and an unknown mode."""
    results = {}
    for mode in ("fwd", "rev"):
        results[mode] = [
            lab.jacobian(lambda x: [x[3] * x[0], 2.5, x[2], x[2], 1.0 - x[1]], x, mode),
            lab.jacobian(lambda x: [x[0], x[0] * x[0], x[0] ** 3], x[:1], mode),
            lab.jacobian(lambda x: [x[0] * x[1] + x[2] / x[3]], x, mode),
        ]
    results["unknown mode"] = "no error"
    try:
        lab.jacobian(lambda x: [x[0]], x, "both")
    except ValueError:
        results["unknown mode"] = "ValueError"
    return results


# --- E6: gradcheck ---------------------------------------------------------------------------------


def tells_right_from_wrong(inputs, outputs):
    factor = inputs["factor"]
    expected = (factor - 1.0) / factor
    right, wrong = outputs["right gradient"], outputs["gradient too large"]
    if not all(isinstance(value, float) for value in (right, wrong)):
        return "gradcheck must return one float"
    if not 0.0 <= right <= 1e-9:
        return f"a right gradient gives {right:.3g}; with a good step it is below 1e-9"
    if not abs(wrong - expected) <= 1e-6 * expected:
        return (
            f"a gradient that is {factor:.6g} times too large gives {wrong:.6g}, not {expected:.6g}"
        )
    return None


@check(
    exercise="E6",
    points=4,
    trials=3,
    inputs=lambda rng: {
        "x": away_from_zero(rng, 2, 3),
        "y": away_from_zero(rng, 3),
        "factor": float(rng.uniform(1.001, 1.1)),
    },
    verify=tells_right_from_wrong,
    hint="Central differences with h near 6e-6: smaller loses digits to rounding, larger to truncation, "
    "and a one-sided quotient is a thousand times worse.",
)
def gradcheck_accepts(lab, x, y, factor):
    """A right gradient is below 1e-9, and one that is a little too large is measured exactly."""

    def function(scale):
        def f(x, y):
            a, b = x.data, y.data
            value = (a**3 * np.exp(b)).sum()

            def pullback(g):
                return g * scale * 3 * a**2 * np.exp(b), g * scale * (a**3 * np.exp(b)).sum(axis=0)

            return lab.record(value, (x, y), pullback)

        return f

    return {
        "right gradient": lab.gradcheck(function(1.0), [x, y]),
        "gradient too large": lab.gradcheck(function(factor), [x, y]),
    }


@check(
    exercise="E6",
    points=4,
    trials=3,
    inputs=lambda rng: {
        "x": away_from_zero(rng, 4),
        "y": away_from_zero(rng, 2, 2),
        "error": float(rng.uniform(0.01, 0.5)),
    },
    tolerance=Tolerance(relative=1e-6, absolute=1e-8),
    hint="Look at every entry of every input, keep the sign, and divide by the largest entry of that "
    "input's gradients.",
)
def gradcheck_rejects(lab, x, y, error):
    """Errors in one entry, in the second input, in the sign, and gradients that are missing."""

    def broken(change_x, change_y):
        def f(x, y):
            a, b = x.data, y.data
            value = 0.5 * (a @ a) + np.sin(b).sum() * 3.0
            return lab.record(
                value, (x, y), lambda g: (g * change_x(a), g * change_y(3.0 * np.cos(b)))
            )

        return f

    def same(grad):
        return grad

    def last(grad):
        return np.where(
            np.arange(grad.size).reshape(grad.shape) == grad.size - 1, grad + error, grad
        )

    cases = {
        "last entry of x": broken(last, same),
        "last entry of y": broken(same, last),
        "sign of x": broken(np.negative, same),
        "no gradient for y": broken(same, np.zeros_like),
        "x halved": broken(lambda grad: grad / 2.0, same),
    }
    return {name: float(lab.gradcheck(f, [x, y])) for name, f in cases.items()}


@check(
    exercise="E6",
    points=2,
    trials=2,
    hidden=True,
    inputs=lambda rng: {
        "x": away_from_zero(rng, 3),
        "far": rng.uniform(20.0, 50.0, 2),
        "eps": float(rng.uniform(0.01, 0.1)),
    },
    tolerance=Tolerance(relative=1e-6, absolute=1e-8),
    hint="The step is eps·max(1, |x|); eps may be given; xs stays as it was; an input that f does not use "
    "has the gradient 0.",
)
def gradcheck_step(lab, x, far, eps):
    """The step that was asked for, scaled with x; inputs unchanged; unused inputs."""

    def cube(x, unused):
        return lab.record((x.data**3).sum(), (x,), lambda g: (g * 3.0 * x.data**2,))

    def only_second(unused, x):
        return cube(x, unused)

    return {
        "near": float(lab.gradcheck(cube, [x, far], eps)),
        "far away": float(lab.gradcheck(cube, [far, x], eps)),
        "second input": float(lab.gradcheck(only_second, [far, x], eps=eps)),
        "x afterwards": x,
        "far afterwards": far,
    }


# --- E7: log-softmax and training ------------------------------------------------------------------

LOGITS = [
    ((4,), 0, 1.0),
    ((3, 3), 1, 1.0),
    ((3, 3), 0, 3.0),
    ((3, 5), -1, 1e4),
    ((2, 3, 4), 1, 300.0),
]


def logits(rng, trial):
    shape, axis, scale = LOGITS[trial]
    x = scale * rng.standard_normal(shape) + scale
    if scale > 1e3:  # rows so far apart that no single number can be subtracted from all of them
        x += 1e5 * np.arange(shape[0])[:, np.newaxis]
    return {"x": x, "g": rng.standard_normal(shape), "axis": axis}


@check(
    exercise="E7",
    points=2,
    trials=5,
    inputs=logits,
    tolerance=CLOSE,
    hint="Subtract the maximum along the axis first: exp(1000) overflows, and log(0) is −inf.",
)
def log_softmax_values(lab, x, g, axis):
    """log-softmax along any axis, also of logits in the thousands."""
    return {"log-softmax": lab.log_softmax_forward(x, axis), "x afterwards": x}


@check(
    exercise="E7",
    points=3,
    trials=5,
    inputs=logits,
    tolerance=CLOSE,
    hint="x̄ = g − softmax(x)·Σg, with the sum along the same axis.",
)
def log_softmax_vjps(lab, x, g, axis):
    """The pullback of log-softmax."""
    shifted = x - x.max(axis=axis, keepdims=True)
    out = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return {"gradient": lab.log_softmax_vjp(g, out, x, axis=axis), "g afterwards": g}


def spiral(rng):
    """64 points on three arms of a spiral, and a small network."""
    y = np.arange(64) % 3
    radius = np.linspace(0.2, 1.0, 64)
    angle = 2.0 * np.pi / 3.0 * y + 2.5 * radius + 0.05 * rng.standard_normal(64)
    return {
        "X": np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1),
        "y": y,
        "W1": 2.0 * rng.standard_normal((2, 24)),
        "b1": 0.5 * rng.standard_normal(24),
        "W2": 0.2 * rng.standard_normal((24, 3)),
        "b2": np.zeros(3),
    }


@check(
    exercise="E7",
    points=5,
    trials=1,
    inputs=spiral,
    tolerance=Tolerance(relative=1e-6, absolute=1e-8),
    hint="Record the loss before the step, take the mean over all 64 points, and start every step with "
    "gradients of None.",
)
def training(lab, X, y, W1, b1, W2, b2):
    """Gradient descent on a two-layer network until all 64 points are in their class."""
    losses, weights = lab.train(X, y, W1, b1, W2, b2, steps=60, lr=1.0)
    few, _ = lab.train(X[:5], y[:5], W1, b1, W2, b2, steps=2, lr=0.1)
    return {
        "losses": [float(loss) for loss in losses],
        "weights": list(weights),
        "losses of two steps": [float(loss) for loss in few],
        "W1 afterwards": W1,
    }


# --- E8: Hessian products and checkpoints ----------------------------------------------------------


@check(
    exercise="E8",
    points=3,
    trials=3,
    inputs=lambda rng: {
        "x": away_from_zero(rng, 4, high=1.2),
        "v": away_from_zero(rng, 4),
        "M": rng.standard_normal((4, 4)),
    },
    tolerance=Tolerance(relative=1e-10, absolute=1e-12),
    hint="A Tensor of duals: its backward pass carries the tangent of the gradient along.",
)
def hessian_vector(lab, x, v, M):
    """H v of three functions, exact to ten digits."""
    return {
        "x₁²x₂": lab.hvp(lambda x: (x[:1] * x[:1] * x[1:2]).sum(), x, v),
        "tanh(Mx)·exp(x)": lab.hvp(lambda x: ((M @ x).tanh() * x.exp()).sum(), x, v),
        "linear": lab.hvp(lambda x: (M[0] * x + x).sum(), x, v),
    }


@check(
    exercise="E8",
    points=2,
    trials=2,
    inputs=lambda rng: {
        "a": away_from_zero(rng, 3),
        "b": away_from_zero(rng, 3),
        "seed": away_from_zero(rng, 3),
    },
    tolerance=CLOSE,
    hint="Keep xs only. The pullback evaluates f again on fresh leaves and calls backward with g.",
)
def checkpointing(lab, a, b, seed):
    """Value, gradients, number of evaluations, and nothing kept but the inputs."""
    calls = []

    def f(x, y, c):
        calls.append(1)
        return (x * y).tanh() * x + c

    x, y = lab.Tensor(a, requires_grad=True), lab.Tensor(b, requires_grad=True)
    doubled = x + x
    constant = lab.Tensor(seed)
    out = lab.checkpoint(f, doubled, y, constant)
    results = {"value": np.array(out.data), "evaluations before": len(calls)}
    results["parents are the inputs"] = [
        p is q for p, q in zip(out.parents, (doubled, y, constant))
    ]
    (out * x).backward(seed)
    results["gradients"] = [np.array(x.grad), np.array(y.grad)]
    results["evaluations after"] = len(calls)
    out.backward(seed)
    results["gradients of both"] = [np.array(x.grad), np.array(y.grad)]
    results["constant"] = constant.grad
    return results
