"""What only the tensors lab can say: the handout's numbers, and mistakes that are not shipped with it."""

import math
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from grader.lint import Linter
from grader.mistakes import read_mistake
from grader.percent import read_fragment
from grader.protocol import Verdict
from labs.catalog import HOME
from tests.labs.held_out import HeldOut, held_out, survivors

FOLDER = HOME / "tensors"
WRONG = sorted((FOLDER / "wrong").glob("*.py"))

HELD_OUT = [
    held_out("a times a", "elementwise_product", "products", ("a * b", "a * a")),
    held_out(
        "axes swapped", "batched_product", "products", ("a @ b.T", "(a @ b.T).swapaxes(2, 3)")
    ),
    held_out("second axis summed", "third_axis_sum", "products", ("axis=2", "axis=1")),
    held_out("mean of the third axis", "third_axis_sum", "products", ("a.sum(", "a.mean(")),
    held_out(
        "written into a",
        "elementwise_product",
        "products",
        ("return a * b", "a *= b\n    return a"),
    ),
    held_out(
        "operands in the other order",
        "einsum_explicit",
        "einsum2",
        ("operands[0], a", "operands[0], b"),
        ("operands[1], b", "operands[1], a"),
    ),
    held_out(
        "implicit output reversed",
        "einsum_implicit",
        "einsum2",
        ("inputs.count(letter) == 1))", "inputs.count(letter) == 1)[::-1])"),
    ),
    held_out(
        "implicit output always scalar",
        "einsum_implicit",
        "einsum2",
        ("inputs.count(letter) == 1))", "inputs.count(letter) > 2))"),
    ),
    held_out(
        "spaces are characters", "einsum_refusals", "einsum2", ('"".join(spec.split())', "spec")
    ),
    held_out(
        "digits are letters", "einsum_refusals", "einsum2", ("letter.isalpha()", "letter.isalnum()")
    ),
    held_out(
        "an unknown output letter has length 1",
        "einsum_refusals",
        "einsum2",
        (
            "    if not set(out) <= lengths.keys():",
            "    lengths = {**dict.fromkeys(out, 1), **lengths}\n    if False:",
        ),
    ),
    held_out(
        "diagonal from the wrong end", "einsum_diagonals", "einsum2", ("= total", "= total[::-1]")
    ),
    held_out(
        "three operands cut to two",
        "einsum_refusals",
        "einsum2",
        ("len(operands) != 2", "len(operands) < 2"),
    ),
    held_out(
        "the average of what is summed",
        "einsum_explicit, einsum_implicit",
        "einsum2",
        ("product.sum(", "product.mean("),
    ),
    held_out(
        "a list instead of a tuple",
        "broadcast_shapes",
        "broadcast-shape",
        ("return tuple(n", "return list(n"),
    ),
    held_out(
        "the first length wins",
        "broadcast_shapes",
        "broadcast-shape",
        ("n if m == 1 else m for", "m for"),
    ),
    held_out(
        "shapes cut to the shorter one",
        "broadcast_shapes",
        "broadcast-shape",
        ("rank = max", "rank = min"),
        ("(1,) * (rank - len(shape)) + tuple(shape)", "tuple(shape)[len(shape) - rank :]"),
    ),
    held_out(
        "multiples stretch",
        "broadcast_refusals",
        "broadcast-shape",
        ("1 not in (m, n)", "1 not in (m, n) and max(m, n) % max(1, min(m, n))"),
    ),
    held_out(
        "axes at the end summed",
        "unbroadcast_shapes",
        "unbroadcast",
        (
            "g = g.sum(axis=tuple(range(g.ndim - len(shape))))",
            "g = g.sum(axis=tuple(range(len(shape), g.ndim)))\n    g = np.resize(g, np.broadcast_shapes(g.shape, shape))",
        ),
    ),
    held_out(
        "a maximum over the copies",
        "unbroadcast_shapes, unbroadcast_is_the_adjoint",
        "unbroadcast",
        (
            "g = g.sum(axis=tuple(range(g.ndim - len(shape))))",
            "g = np.array(g)\n    while g.ndim > len(shape):\n        g = g.max(axis=0, initial=-9.0)",
        ),
    ),
    held_out(
        "strides include a one",
        "row_major_strides",
        "strides",
        ("shape[k + 1 :]", "shape[k + 1 : -1]"),
    ),
    held_out(
        "only the last stride counts",
        "contiguous_or_not",
        "strides",
        (
            "all(n == 1 or s == r for n, s, r in zip(shape, strides, right))",
            "len(shape) == 0 or strides[-1] == 1",
        ),
    ),
    held_out(
        "any order is contiguous",
        "contiguous_or_not",
        "strides",
        (
            "zip(shape, strides, right)",
            "zip(sorted(shape), sorted(strides), sorted(contiguous_strides(sorted(shape))))",
        ),
        ("right = contiguous_strides(shape)", "right = tuple(sorted(contiguous_strides(shape)))"),
    ),
    held_out(
        "an odd stride in front is refused",
        "contiguous_traps",
        "strides",
        ("n == 1 or s == r", "(n == 1 and s <= 1) or s == r"),
    ),
    held_out(
        "stride 0 is contiguous",
        "contiguous_traps",
        "strides",
        ("n == 1 or", "n == 1 or s == 0 or"),
    ),
    held_out(
        "base counted twice", "element_offsets", "strides", ("return base +", "return 2 * base +")
    ),
    held_out(
        "negative indices wrap",
        "element_offsets",
        "strides",
        ("return base + sum(i * s", "return base + sum(i * s if s >= 0 else (i + 1) * s"),
    ),
    held_out(
        "clipped logits",
        "logsumexp_values",
        "logsumexp",
        ("    m = np.max(x", "    x = np.clip(x, -700, 700)\n    m = np.max(x"),
    ),
    held_out(
        "shift by the mean", "logsumexp_values", "logsumexp", ("m = np.max(x", "m = np.mean(x")
    ),
    held_out(
        "shift by the minimum", "logsumexp_values", "logsumexp", ("m = np.max(x", "m = np.min(x")
    ),
    held_out(
        "a small number in the logarithm",
        "logsumexp_limits",
        "logsumexp",
        ("np.sum(np.exp(x - m), axis=axis)", "np.sum(np.exp(x - m), axis=axis) + 1e-12"),
    ),
    held_out("binary logarithm", "logsumexp_values", "logsumexp", ("np.log(", "np.log2(")),
    held_out(
        "single precision",
        "logsumexp_values",
        "logsumexp",
        ("np.exp(x - m)", "np.exp((x - m).astype(np.float32)).astype(np.float64)"),
    ),
    held_out(
        "a small number below the line",
        "softmax_values",
        "softmax",
        ("return e / np.sum", "return e / (1e-8 + np.sum"),
        ("(e, axis=axis, keepdims=True)", "(e, axis=axis, keepdims=True))"),
    ),
    held_out(
        "temperature squared",
        "softmax_values",
        "softmax",
        ("x / temperature", "x / temperature**2"),
    ),
    held_out(
        "temperature only for the shift",
        "softmax_values",
        "softmax",
        ("np.exp(z - ", "np.exp(x - "),
    ),
    held_out(
        "one maximum for all of softmax",
        "softmax_values",
        "softmax",
        ("np.max(z, axis=axis, keepdims=True)", "np.max(z, initial=-np.inf)"),
    ),
    held_out(
        "masked logits become nan",
        "softmax_values",
        "softmax",
        ("np.max(z, axis=axis, keepdims=True)", "np.min(z, axis=axis, keepdims=True)"),
    ),
    held_out(
        "smoothing shrinks the loss only",
        "cross_entropy_options",
        "cross-entropy",
        ("losses + smoothing *", "losses + 0.0 * smoothing *"),
    ),
    held_out(
        "smoothing summed over classes",
        "cross_entropy_options",
        "cross-entropy",
        ("smoothing * np.mean(lse", "smoothing * np.sum(lse"),
    ),
    held_out(
        "smoothing adds to the full loss",
        "cross_entropy_options",
        "cross-entropy",
        ("(1.0 - smoothing) * (lse", "1.0 * (lse"),
    ),
    held_out(
        "first row only", "cross_entropy_values", "cross-entropy", ("np.mean(losses)", "losses[0]")
    ),
    held_out(
        "nats become bits",
        "cross_entropy_values",
        "cross-entropy",
        ("float(np.mean(losses))", "float(np.mean(losses) / np.log(2))"),
    ),
    held_out(
        "an ignored loss is infinite",
        "cross_entropy_options",
        "cross-entropy",
        ("return 0.0", "return float('inf')"),
    ),
    held_out(
        "smoothing in the wrong place",
        "cross_entropy_gradients",
        "cross-entropy-grad",
        ("- smoothing / logits.shape[1]", "+ smoothing / logits.shape[1]"),
    ),
    held_out(
        "smoothing shared by the others",
        "cross_entropy_gradients",
        "cross-entropy-grad",
        ("/ logits.shape[1]", "/ max(1, logits.shape[1] - 1)"),
        ("-= 1.0 - smoothing", "-= 1.0 - smoothing - smoothing / max(1, logits.shape[1] - 1)"),
    ),
    held_out(
        "only padding is divided by",
        "cross_entropy_gradients",
        "cross-entropy-grad",
        ("p / len(counted)", "p / max(1, len(y) - len(counted))"),
    ),
    held_out(
        "minus 100 in the gradient",
        "cross_entropy_gradients",
        "cross-entropy-grad",
        ("!= ignore_index", "!= -100"),
    ),
    held_out(
        "root of the loss",
        "mlp_forward",
        "mlp",
        ("float(np.mean(self.error**2))", "float(np.sqrt(np.mean(self.error**2)))"),
    ),
    held_out(
        "sum instead of mean",
        "mlp_forward",
        "mlp",
        ("float(np.mean(self.error**2))", "float(np.sum(self.error**2))"),
    ),
    held_out(
        "absolute error",
        "mlp_forward",
        "mlp",
        ("np.mean(self.error**2)", "np.mean(np.abs(self.error))"),
    ),
    held_out("no relu", "mlp_forward", "mlp", ("np.maximum(self.a, 0.0)", "self.a")),
    held_out(
        "leaky relu",
        "mlp_forward",
        "mlp",
        ("np.maximum(self.a, 0.0)", "np.maximum(self.a, 0.01 * self.a)"),
    ),
    held_out("mask asks h >= 0", "mlp_gradients", "mlp", ("self.a > 0", "self.h >= 0")),
    held_out("sign of the error", "mlp_gradients", "mlp", ("* self.error\n", "* -self.error\n")),
    held_out(
        "averaged twice",
        "mlp_gradients",
        "mlp",
        ('"W1": self.x.T @ da', '"W1": self.x.T @ da / len(self.x)'),
    ),
    held_out(
        "gradient of x summed over the batch",
        "mlp_gradients",
        "mlp",
        ("da @ W1.T}", "np.broadcast_to((da @ W1.T).sum(0), self.x.shape)}"),
    ),
    held_out(
        "batch size remembered from the first call",
        "mlp_gradients",
        "mlp",
        (
            "        self.x, self.used",
            '        self.B = getattr(self, "B", len(x))\n        self.x, self.used',
        ),
        ("2.0 / len(self.x)", "2.0 / self.B"),
    ),
    held_out(
        "D in place of B", "mlp_gradients", "mlp", ("2.0 / len(self.x)", "2.0 / self.x.shape[1]")
    ),
    held_out(
        "weights shared by all networks",
        "mlp_steps",
        "mlp",
        (
            "def __init__(self, W1, W2):",
            "def __init__(self, W1, W2):\n        MLP.W1, MLP.W2 = np.array(W1), np.array(W2)\n\n    def unused(self, W1, W2):",
        ),
        ("self.W1 = self.W1 -", "MLP.W1 = MLP.W1 -"),
        ("self.W2 = self.W2 -", "MLP.W2 = MLP.W2 -"),
    ),
    held_out(
        "momentum",
        "mlp_steps",
        "mlp",
        (
            "        self.W1 = self.W1 - lr * gradients",
            '        self.v = 0.5 * getattr(self, "v", 0.0) + gradients["W1"]\n        gradients["W1"] = self.v\n        self.W1 = self.W1 - lr * gradients',
        ),
    ),
    held_out(
        "step of the square of lr",
        "mlp_steps, mlp_training",
        "mlp",
        ("lr * gradients", "lr * lr * gradients"),
    ),
    held_out(
        "one iteration more", "power_iteration", "top-eig", ("range(iters)", "range(iters + 1)")
    ),
    held_out(
        "largest component without its magnitude",
        "power_iteration",
        "top-eig",
        ("v[np.argmax(np.abs(v))] < 0", "v[np.argmax(v)] < 0"),
    ),
    held_out(
        "largest component negative",
        "power_iteration, dominant_pair",
        "top-eig",
        ("np.abs(v))] < 0", "np.abs(v))] > 0"),
    ),
    held_out(
        "maximum norm",
        "power_iteration, dominant_pair",
        "top-eig",
        ("norm = np.linalg.norm(w)", "norm = np.max(np.abs(w))"),
    ),
    held_out(
        "eigenvalue from the largest component",
        "power_iteration",
        "top-eig",
        ("float(v @ S @ v)", "float((S @ v)[np.argmax(np.abs(v))] / v[np.argmax(np.abs(v))])"),
    ),
    held_out(
        "square of the matrix", "power_iteration", "top-eig", ("w = S @ v", "w = S @ (S @ v)")
    ),
    held_out(
        "stops when it seems converged",
        "power_iteration",
        "top-eig",
        (
            "        v = w / norm\n",
            "        if abs(abs(v @ w) / norm - 1) < 0.2:\n            break\n        v = w / norm\n",
        ),
    ),
]


def test_whoever_calls_numpys_einsum_is_told_and_flagged(tensors: Linter) -> None:
    cheat = read_mistake(FOLDER / "cheats" / "einsum_of_numpy.py")
    report = tensors.grade({**tensors.reference, **cheat.cells})
    failed = {r.check for r in report.results if r.verdict is not Verdict.PASSED}
    assert failed == set(tensors.lab.exercise("E2").checks)
    assert any(flag.kind == "forbidden" and "numpy.einsum" in flag.text for flag in report.flags)


def test_every_exercise_has_hidden_checks(tensors: Linter) -> None:
    for exercise in tensors.lab.exercises:
        assert any(tensors.lab.check(name).hidden for name in exercise.checks)


@pytest.mark.parametrize("seed", range(2))
def test_a_right_solution_in_another_style_scores_in_full(tensors: Linter, seed: int) -> None:
    path = Path(__file__).parent / "solutions" / "tensors.py"
    cells = read_fragment(path.read_text(encoding="utf-8"), file=path.name)
    assert cells.keys() == tensors.reference.keys()
    report = tensors.grade(cells, seed)
    assert {r.check: r.message for r in report.results if r.verdict is not Verdict.PASSED} == {}


@pytest.mark.parametrize("mistake", HELD_OUT, ids=str)
def test_a_mistake_that_the_lab_does_not_list_is_caught_too(
    tensors: Linter, mistake: HeldOut
) -> None:
    assert survivors(tensors, mistake) == {}


@pytest.mark.parametrize("exercise", ["E1", "E2", "E3", "E4", "E5", "E6", "E7"])
def test_an_exercise_can_be_done_without_the_others(tensors: Linter, exercise: str) -> None:
    cells = tensors.lab.exercise(exercise).cells
    report = tensors.grade({cell: tensors.reference[cell] for cell in cells})
    earned = sum((r.points for r in report.results), Decimal(0))
    assert earned == tensors.lab.exercise(exercise).points


def test_the_figures_are_what_the_notebook_draws(tensors: Linter) -> None:
    lab = tensors.referee.reference
    for name, draw in (("naive", lab.naive_and_stable_errors), ("training", lab.training_curves)):
        shipped = (FOLDER / "figures" / f"{name}.svg").read_text(encoding="utf-8")
        assert draw().svg().count("<path") == shipped.count("<path")
    curves = {label: ys for _, ys, label in lab.training_curves().curves}
    start = curves["lr = 1e-5"][0]
    assert 2000 < start < 2200
    assert curves["lr = 1e-4"][-1] < start / 100
    assert not all(loss < 2 * start for loss in curves["lr = 1e-3"][:20])
    errors = {
        label: dict(zip(xs, ys, strict=True))
        for xs, ys, label in lab.naive_and_stable_errors().curves
    }
    assert all(error < 1e-15 for error in errors["shifted by the maximum"].values())
    assert all(error == 1.0 for x, error in errors["as it stands"].items() if x > 200)
    assert all(error < 1e-15 for x, error in errors["as it stands"].items() if x < 130)


def test_the_numbers_of_the_handout_are_right(tensors: Linter) -> None:
    """Every worked example that the prose calculates by hand."""
    lab = tensors.referee.reference
    a, rows = np.array([[[[1.0, 2.0]]]]), np.array([[1.0, 0], [0, 1], [1, 1]])
    assert lab.bmm_t(a, rows).ravel().tolist() == [1, 2, 3]
    a = np.array([[1.0, 2], [3, 4]])
    assert lab.sum_dim3(a[np.newaxis, np.newaxis]).ravel().tolist() == [4, 6]
    b, one = np.array([10.0, 100.0]), np.array(1.0)
    assert lab.einsum2("ij,j", a, b).tolist() == [210, 430]
    assert lab.einsum2("ji,", a, one).tolist() == [[1, 3], [2, 4]]
    assert lab.einsum2("ii,i->i", a, b).tolist() == [10, 400]
    assert float(lab.einsum2("ii,i", a, b)) == 410
    assert lab.einsum2("ij,j->ii", a, b).tolist() == [[210, 0], [0, 430]]
    assert lab.broadcast_shape((4, 1, 3), (2, 3)) == (4, 2, 3)
    assert lab.broadcast_shape((1,), (0,)) == (0,)
    with pytest.raises(ValueError, match="do not broadcast"):
        lab.broadcast_shape((2, 3), (2,))
    g = np.array([[1.0, 2, 3], [4, 5, 6]])
    assert lab.unbroadcast(g, (3,)).tolist() == [5, 7, 9]
    assert lab.unbroadcast(g, (2, 1)).tolist() == [[6], [15]]
    assert float(lab.unbroadcast(g, ())) == 21
    assert np.sum(np.array([1.0, 0, 2]) * g) == 23 == np.array([1, 0, 2]) @ np.array([5, 7, 9])
    assert lab.contiguous_strides((2, 3, 4)) == (12, 4, 1)
    assert lab.offset((1, 0, 2), (12, 4, 1)) == 14
    turned = np.zeros((2, 3, 4)).transpose(2, 0, 1)
    assert (turned.shape, tuple(s // 8 for s in turned.strides)) == ((4, 2, 3), (1, 12, 4))
    assert not lab.is_contiguous((4, 2, 3), (1, 12, 4))
    assert lab.is_contiguous((3, 1, 2), (2, 99, 1))
    assert round(float(lab.logsumexp(np.array([1000.0, 1000.0]))), 3) == 1000.693
    assert 709 < math.log(sys.float_info.max) < 710
    assert math.exp(-746) == 0.0
    z = np.array([[0.0, math.log(3)]])
    assert np.allclose(lab.softmax(z), [[0.25, 0.75]])
    assert np.allclose(lab.softmax(z, temperature=0.5), [[0.1, 0.9]])
    y = np.array([1])
    assert round(lab.cross_entropy(z, y), 4) == 0.2877 == round(math.log(4 / 3), 4)
    assert round(lab.cross_entropy(z, y, smoothing=0.1), 4) == 0.3426
    assert np.allclose(lab.cross_entropy_grad(z, y), [[0.25, -0.25]])
    assert np.allclose(lab.cross_entropy_grad(z, y, smoothing=0.1), [[0.2, -0.2]])
    model = lab.MLP(np.array([[1.0, -1.0], [1.0, 0.0]]), np.array([[2.0], [5.0]]))
    assert model.forward(np.array([[1.0, 2.0]]), np.array([[4.0]])) == 4.0
    assert {name: g.tolist() for name, g in model.backward().items()} == {
        "W1": [[8, 0], [16, 0]],
        "W2": [[12], [0]],
        "x": [[8, 8]],
    }
    S = np.array([[2.0, 1.0], [1.0, 2.0]])
    assert np.linalg.eigvalsh(S).round(12).tolist() == [1, 3]
    two, five = np.array([2.0, 1.0]), np.array([5.0, 4.0])
    assert (S @ two).tolist() == five.tolist()
    assert round(two @ S @ two / (two @ two), 3) == 2.8
    assert round(five @ S @ five / (five @ five), 3) == 2.976
    assert round(1 / 4096 * 1e4, 1) == 2.4
    assert round(1 / 64, 3) == 0.016


def test_the_border_of_the_step_size_lies_where_the_answer_says(tensors: Linter) -> None:
    """The answer at the end of the notebook: 3e-4 trains, 5e-4 does not; scaled, 0.01 does and 0.03 does not."""
    lab = tensors.referee.reference

    def loss_after(lr: float, scale: float) -> tuple[float, float]:
        rng = np.random.default_rng(2024)
        x, y = rng.standard_normal((500, 64)), rng.standard_normal((500, 1))
        model = lab.MLP(scale * rng.standard_normal((64, 64)), scale * rng.standard_normal((64, 1)))
        before = model.forward(x, y)
        with np.errstate(all="ignore"):
            for i in rng.integers(500, size=3000):
                model.forward(x[i : i + 1], y[i : i + 1])
                model.step(lr)
            return before, model.forward(x, y)

    for scale, good, bad in ((1.0, 3e-4, 5e-4), (1 / 8, 0.01, 0.03)):
        before, after = loss_after(good, scale)
        assert after < before / 2
        before, after = loss_after(bad, scale)
        assert not after < before
