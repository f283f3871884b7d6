"""What only the scaling lab can say: the handout's numbers, and mistakes that are not shipped with it."""

import numpy as np
import pytest

from grader.lint import Linter
from grader.protocol import Verdict
from tests.labs.conftest import LinterOf


@pytest.fixture(scope="module")
def scaling(linter_of: LinterOf) -> Linter:
    return linter_of("scaling")


# cell, what is replaced, by what, which checks must see it
MISTAKES = [
    ("n-params", "2 * c.D * queries", "c.D * queries", {"parameters", "known_models"}),
    ("n-params", "c.S * c.D if", "c.S * c.V if", {"parameters"}),
    ("n-params", "attn += queries + 2 * keys + c.D", "attn += queries + 2 * keys", {"parameters"}),
    ("forward-flops", "(c.Hq + 2 * c.Hkv)", "3 * c.Hq", {"forward_operations"}),
    (
        "forward-flops",
        "2 * tokens * c.Hq * c.Dh * c.D",
        "2 * tokens * c.D * c.D",
        {"forward_operations"},
    ),
    ("forward-flops", "matrices = 3 if", "matrices = 2 if", {"forward_operations"}),
    ("train-flops", '["total"]', '["total"] + 1', {"training_operations"}),
    (
        "state-bytes",
        '"fp16_sgd": {"weights": 2, "gradients": 2, "master": 0, "optimizer": 0}',
        '"fp16_sgd": {"weights": 2, "gradients": 2, "master": 0, "optimizer": 2}',
        {"training_state"},
    ),
    ("activation-bytes", "10 + 24 / t", "24 + 10 / t", {"activations"}),
    (
        "activation-bytes",
        "unit / t * (34 + scores)",
        "unit * (34 / t + scores)",
        {"memory_everywhere"},
    ),
    ("throughput", "6 * N * tps", "2 * N * tps", {"throughput_and_time"}),
    (
        "speed-ups",
        "1 / (serial + (1 - serial) / n)",
        "n / (1 + serial * n)",
        {"speed_up_laws"},
    ),
    (
        "parallel-bytes",
        '"backward": activations',
        '"backward": 2 * activations',
        {"data_and_pipeline"},
    ),
    ("parallel-bytes", "2 * B * S * c.D", "2 * B * S * c.F", {"data_and_pipeline"}),
    ("isoflop", "(x - middle, np", "(x - x.max(), np", {"valley"}),
    ("compute-optimal", "1 / (alpha + beta)", "1 / alpha + beta", {"optimum_of_the_law"}),
    (
        "objective",
        "np.full(len(log_n), e)",
        "np.full(len(log_n), np.log(e + 2))",
        {"value_of_the_fit"},
    ),
    ("objective", "w @ p[2]", "w.sum()", {"gradient_of_the_fit"}),
    ("fit", "np.exp(e)", "np.exp(e) + 0.1", {"fitted_law"}),
    (
        "parallel-bytes",
        "if kind not in sent:",
        "if False:",
        {"every_kind_of_parallelism"},
    ),
    (
        "forward-flops",
        "return parts",
        "parts = {k: int(1.0 * v) for k, v in parts.items()}\n    return parts",
        {"operations_of_large_models"},
    ),
    ("objective", "z.max(axis=0)", "z.max()", {"value_of_the_fit", "gradient_of_the_fit"}),
]


@pytest.mark.parametrize(("cell", "old", "new", "caught"), MISTAKES)
def test_a_mistake_that_is_not_shipped_is_caught_too(
    scaling: Linter, cell: str, old: str, new: str, caught: set[str]
) -> None:
    source = scaling.reference[cell]
    assert old in source
    report = scaling.grade(scaling.reference | {cell: source.replace(old, new)})
    failed = {r.check for r in report.results if r.verdict is Verdict.FAILED}
    assert caught <= failed
    assert not [r for r in report.results if r.verdict is Verdict.ERROR]


def test_another_way_to_write_the_fit_scores_in_full(scaling: Linter) -> None:
    objective = """
def objective(theta, N, D, L):
    a, b, e, alpha, beta = theta
    value, gradient = 0.0, np.zeros(5)
    for n, d, loss in zip(np.log(N), np.log(D), L):
        parts = np.array([a - alpha * n, b - beta * d, e])
        predicted = np.logaddexp(np.logaddexp(parts[0], parts[1]), parts[2])
        share = np.exp(parts - predicted)
        r = predicted - np.log(loss)
        straight = abs(r) > 1e-3
        value += 1e-3 * abs(r) - 5e-7 if straight else r * r / 2
        slope = 1e-3 * np.sign(r) if straight else r
        gradient += slope * np.array([*share, -share[0] * n, -share[1] * d])
    return value, gradient
"""
    report = scaling.grade(scaling.reference | {"objective": objective})
    assert {r.check: r.message for r in report.results if r.verdict is not Verdict.PASSED} == {}


def test_the_numbers_of_the_handout_are_right(scaling: Linter) -> None:
    """Every worked example that the prose calculates by hand."""
    lab = scaling.referee.reference
    tiny = lab.Cfg(1, 4, 2, 2, 2, 8, 10, "relu", tied=True, bias=False, learned_pos=False, S=8)
    assert lab.n_params(tiny) == {
        "embed": 40,
        "pos": 0,
        "attn": 64,
        "mlp": 64,
        "norm": 12,
        "head": 0,
        "total": 180,
    }
    assert lab.forward_flops(tiny, 1, 3) == {
        "qkv": 288,
        "scores": 72,
        "mix": 72,
        "out": 96,
        "mlp": 384,
        "head": 240,
        "total": 1152,
    }
    assert lab.train_flops(tiny, 1, 3) == 3456
    layer = lab.activation_bytes(2048, 1, 12288, 96)
    assert round(layer / 1e9, 2) == 2.87
    selective = lab.activation_bytes(2048, 1, 12288, 96, recompute="selective")
    assert round(1 - selective / layer, 2) == 0.70
    assert 34 / 18 < 2 <= 34 / 17
    assert round(lab.amdahl(0.1, 10), 2) == 5.26
    assert round(lab.gustafson(0.1, 10), 1) == 9.1
    assert 512 * 1024 == 524_288
    ones = np.array([1.0])
    value, gradient = lab.objective((0, 0, 0, 0.3, 0.3), ones, ones, np.array([3.0]))
    assert abs(value) < 1e-20
    assert np.allclose(gradient, 0)
    value, gradient = lab.objective((0, 0, 0, 0.3, 0.3), ones, ones, np.array([6.0]))
    assert f"{value:.3e}" == "6.926e-04"
    assert np.allclose(gradient, [-1e-3 / 3, -1e-3 / 3, -1e-3 / 3, 0, 0])
