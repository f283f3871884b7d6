"""The autodiff lab in real jails: the reference passes, every mistake is caught, no cheat earns a point."""

import math
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from grader.lint import Linter, import_file, oracle_functions
from grader.mistakes import read_mistake
from grader.percent import read_fragment
from grader.protocol import Verdict
from labs.catalog import HOME, get_lab

FOLDER = HOME / "autodiff"
WRONG = sorted((FOLDER / "wrong").glob("*.py"))
CHEATS = sorted((FOLDER / "cheats").glob("*.py"))
ORACLE = import_file(FOLDER / "oracle.py")


def test_the_lab_is_worth_what_its_exercises_are() -> None:
    lab = get_lab("autodiff")
    assert [exercise.points for exercise in lab.exercises] == [15, 20, 15, 15, 10, 10, 10, 5]
    assert lab.points == 100
    assert all(any(lab.check(name).hidden for name in e.checks) for e in lab.exercises[:6])


def test_enough_mistakes_and_cheats_are_shipped() -> None:
    assert len(WRONG) >= 8
    assert len(CHEATS) >= 4


@pytest.mark.parametrize("seed", range(3))
def test_the_reference_passes_every_check(autodiff: Linter, seed: int) -> None:
    report = autodiff.grade(autodiff.reference, seed)
    assert {r.check: r.message for r in report.results if r.verdict is not Verdict.PASSED} == {}
    assert report.score == report.max_score == 100
    assert not report.unsafe


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


def test_starter_and_null_answers_earn_nothing(autodiff: Linter) -> None:
    assert [str(finding) for finding in autodiff.null_findings()] == []


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_a_mistake_fails_the_check_that_is_about_it(autodiff: Linter, path: Path) -> None:
    assert [str(finding) for finding in autodiff.wrong_findings(read_mistake(path))] == []


@pytest.mark.parametrize("path", CHEATS, ids=lambda path: path.stem)
def test_a_cheat_earns_nothing(autodiff: Linter, path: Path) -> None:
    assert [str(finding) for finding in autodiff.cheat_findings(read_mistake(path))] == []


def test_an_exercise_can_be_done_without_the_others(autodiff: Linter) -> None:
    """E1 to E4 and E6 need nothing of each other, but for E4's unbroadcast."""
    lab = autodiff.lab
    for exercise, borrowed in (("E1", ()), ("E2", ()), ("E3", ()), ("E4", ("unbroadcast",))):
        cells = (*lab.exercise(exercise).cells, *borrowed)
        report = autodiff.grade({cell: autodiff.reference[cell] for cell in cells})
        earned = sum((r.points for r in report.results if r.exercise == exercise), Decimal(0))
        assert earned == lab.exercise(exercise).points


@pytest.mark.parametrize("name", oracle_functions(ORACLE))
def test_the_oracle_confirms_the_reference(autodiff: Linter, name: str) -> None:
    for seed in range(5):
        getattr(ORACLE, name)(autodiff.referee._reference, np.random.default_rng(seed))


def test_the_notebook_source_runs_from_top_to_bottom_in_plain_python() -> None:
    program = [sys.executable, str(FOLDER / "lab.py")]
    path = os.pathsep.join([str(HOME)])
    done = subprocess.run(
        program, env={"PYTHONPATH": path}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "submit the notebook" in done.stdout
    assert done.stdout.count("\n") == 1


def test_the_numbers_of_the_handout_are_right(autodiff: Linter) -> None:
    """Every worked example that the prose calculates by hand."""
    lab = autodiff.referee._reference
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
