"""The eight checks that the benchmarks ask, of arrays."""

from grader.checks import check


@check(exercise="E1", points=1, trials=3, inputs=lambda rng: {"x": rng.standard_normal((4, 16))})
def softmax(lab, x):
    """Softmax over the last axis."""
    return {"y": lab.softmax(x)}


@check(
    exercise="E1",
    points=1,
    trials=3,
    inputs=lambda rng: {"x": rng.standard_normal((4, 32)), "gain": rng.standard_normal((32,))},
)
def layer_norm(lab, x, gain):
    """Layer normalisation."""
    return {"y": lab.layer_norm(x, gain)}


@check(exercise="E1", points=1, trials=3, inputs=lambda rng: {"x": rng.standard_normal((64,))})
def gelu(lab, x):
    """GELU."""
    return {"y": lab.gelu(x)}


@check(
    exercise="E1",
    points=1,
    trials=3,
    inputs=lambda rng: {
        "q": rng.standard_normal((2, 8, 16)),
        "k": rng.standard_normal((2, 8, 16)),
        "v": rng.standard_normal((2, 8, 16)),
    },
)
def attention(lab, q, k, v):
    """Causal attention."""
    return {"y": lab.attention(q, k, v)}


@check(
    exercise="E2",
    points=1,
    trials=3,
    inputs=lambda rng: {"logits": rng.standard_normal((8, 10)), "targets": rng.integers(0, 10, 8)},
)
def cross_entropy(lab, logits, targets):
    """Cross-entropy."""
    return {"loss": lab.cross_entropy(logits, targets)}


@check(
    exercise="E2",
    points=1,
    trials=3,
    inputs=lambda rng: {
        "x": rng.standard_normal((8, 16)),
        "w": rng.standard_normal((16, 4)),
        "g": rng.standard_normal((8, 4)),
    },
)
def linear_backward(lab, x, w, g):
    """Both gradients of a linear layer."""
    return dict(zip(("x", "w"), lab.linear_backward(x, w, g), strict=True))


@check(
    exercise="E2",
    points=1,
    trials=3,
    inputs=lambda rng: {
        "p": rng.standard_normal((32,)),
        "g": rng.standard_normal((32,)),
        "m": rng.standard_normal((32,)),
        "v": rng.uniform(0, 1, 32),
        "t": int(rng.integers(1, 100)),
    },
)
def adam_step(lab, p, g, m, v, t):
    """One step of Adam."""
    return {"p": lab.adam_step(p, g, m, v, t)}


@check(
    exercise="E2",
    points=1,
    trials=3,
    inputs=lambda rng: {"g": rng.standard_normal((64,)), "most": float(rng.uniform(1, 20))},
)
def clip(lab, g, most):
    """Clipping by the norm."""
    return {"g": lab.clip(g, most)}
