"""What only the autodiff lab can say: another right solution, its hidden inputs, the handout's numbers."""

import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from grader.lint import Linter
from grader.percent import read_fragment
from grader.protocol import Verdict
from labs.catalog import get_lab


def test_the_lab_is_worth_what_its_exercises_are() -> None:
    lab = get_lab("autodiff")
    assert [exercise.points for exercise in lab.exercises] == [15, 20, 15, 15, 10, 10, 10, 5]
    assert lab.points == 100
    assert all(any(lab.check(name).hidden for name in e.checks) for e in lab.exercises[:6])


@pytest.mark.parametrize("seed", range(2))
def test_a_right_solution_in_another_style_scores_in_full(autodiff: Linter, seed: int) -> None:
    path = Path(__file__).parent / "solutions" / "autodiff.py"
    cells = read_fragment(path.read_text(encoding="utf-8"), file=path.name)
    assert cells.keys() == autodiff.reference.keys()
    report = autodiff.grade(cells, seed)
    assert {r.check: r.message for r in report.results if r.verdict is not Verdict.PASSED} == {}


def test_the_same_submission_gets_the_same_score_and_other_inputs_than_another(
    autodiff: Linter,
) -> None:
    inputs = [
        [r.inputs for r in autodiff.grade({}, seed).results if r.check == "linear_layer"]
        for seed in (1, 1, 2)
    ]
    assert inputs[0] == inputs[1] != inputs[2]


def test_an_exercise_can_be_done_without_the_others(autodiff: Linter) -> None:
    """E1 to E4 and E6 need nothing of each other, but for E4's unbroadcast."""
    lab = autodiff.lab
    for exercise, borrowed in (("E1", ()), ("E2", ()), ("E3", ()), ("E4", ("unbroadcast",))):
        cells = (*lab.exercise(exercise).cells, *borrowed)
        report = autodiff.grade({cell: autodiff.reference[cell] for cell in cells})
        earned = sum((r.points for r in report.results if r.exercise == exercise), Decimal(0))
        assert earned == lab.exercise(exercise).points


def test_the_numbers_of_the_handout_are_right(autodiff: Linter) -> None:
    """Every worked example that the prose calculates by hand."""
    lab = autodiff.referee.reference
    assert round(math.log(2) + 10 - math.sin(5), 3) == 11.652
    assert round(math.log(2), 3) == 0.693
    assert round(math.sin(5), 3) == -0.959
    assert round(2 - math.cos(5), 3) == 1.716
    g = np.array([[1.0, 2, 3], [4, 5, 6]])
    assert lab.unbroadcast(g, (3,)).tolist() == [5, 7, 9]
    assert lab.unbroadcast(g, (2, 1)).tolist() == [[6], [15]]
    one = np.array(1.0)
    assert [float(d) for d in lab.div_vjp(one, np.array(3.0), np.array(6.0), np.array(2.0))] == [
        0.5,
        -1.5,
    ]
    x = np.array([3.0, 7.0, 7.0])
    assert lab.max_vjp(one, np.array(7.0), x).tolist() == [0.0, 0.5, 0.5]
    assert np.transpose(np.zeros((2, 3, 5)), (1, 2, 0)).shape == (3, 5, 2)
    assert np.transpose(np.zeros((3, 5, 2)), (1, 2, 0)).shape == (5, 2, 3)
    assert np.argsort((1, 2, 0)).tolist() == [2, 0, 1]
    t = lab.Tensor(3.0, requires_grad=True)
    y = (2 * t) * (5 * t)
    y.backward()
    assert (float(y.data), float(t.grad)) == (90.0, 60.0)
    dX, dW = lab.linear_backward(np.array([[1.0, 2]]), np.array([[3.0], [4]]), np.array([[10.0]]))
    assert (dX.tolist(), dW.tolist()) == ([[30, 40]], [[10], [20]])
    gathered = lab.getitem_vjp(np.array([1.0, 10, 100]), None, np.zeros(4), [2, 0, 2])
    assert gathered.tolist() == [10, 0, 101, 0]
    assert round(lab.gradcheck(lambda x: (x**3).sum(), [np.array([1.0])], 0.1), 5) == 0.00332
    logs = lab.log_softmax_forward(np.array([0.0, math.log(3)]), 0)
    assert np.allclose(logs, [-math.log(4), math.log(3) - math.log(4)])
    assert np.allclose(lab.log_softmax_vjp(np.array([1.0, 0]), logs, None, 0), [0.75, -0.75])
    product = lab.hvp(
        lambda x: (x[:1] * x[:1] * x[1:]).sum(), np.array([3.0, 5]), np.array([1.0, 2])
    )
    assert product.tolist() == [22, 6]
    assert round(2**60 / 1e18) == 1
