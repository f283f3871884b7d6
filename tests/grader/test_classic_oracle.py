"""The same hand-ins graded by `nbgrader autograde` and by us: equal where nbgrader is right."""

import os
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.notebook import reference_answers
from grader.sandbox.base import Sandbox
from labs.catalog import read_lab, student_notebook
from tests.grader.classic_desk import SQUARES, SUMS, ClassicDesk

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nbgrader.api import Gradebook

PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
LAB = read_lab(SUMS)
STARTER = {cell.id: cell.source for cell in LAB.cells if cell.role == "exercise"}
SOLUTION = reference_answers(LAB)
HANDED_IN: dict[str, Mapping[str, str]] = {
    "solution": SOLUTION,
    "starter": STARTER,
    "half": SOLUTION | {"squares": STARTER["squares"]},
    "partial": SOLUTION | {"mean": "def mean(xs):\n    return 1.0"},
    "no-error": SOLUTION | {"squares": "def squares(n):\n    return [i*i for i in range(1, n+1)]"},
    "hidden-only": SOLUTION | {"squares": SQUARES.replace("n + 1", "min(n, 9) + 1")},
    "prints": SOLUTION | {"mean": "def mean(xs):\n    print(3)\n    return sum(xs) / len(xs)"},
    "syntax": SOLUTION | {"mean": "def mean(xs:\n    return 1"},
    # where nbgrader is wrong
    "warns": SOLUTION
    | {
        "mean": "import warnings\ndef mean(xs):\n    warnings.warn('hm')\n    return sum(xs) / len(xs)"
    },
    "silences": STARTER
    | {
        "squares": "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass'])",
    },
}
DIFFERENT = {"warns", "silences"}


@pytest.fixture(scope="module")
def autograded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    """Student → test cell → points, by nbgrader itself."""
    course = tmp_path_factory.mktemp("course")
    source = course / "source" / "sums"
    source.mkdir(parents=True)
    (source / "sums.ipynb").write_bytes((SUMS / "sums.ipynb").read_bytes())
    nbgrader(course, "generate_assignment", "sums")
    for student, answers in HANDED_IN.items():
        place = course / "submitted" / student / "sums"
        place.mkdir(parents=True)
        (place / "sums.ipynb").write_bytes(student_notebook(LAB, answers))
    nbgrader(course, "autograde", "sums")
    points: dict[str, dict[str, float]] = {}
    # Opening a gradebook, nbgrader starts `alembic`, which lies beside this Python.
    patched = pytest.MonkeyPatch()
    patched.setenv("PATH", PATH)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        for submission in gradebook.assignment_submissions("sums"):
            grades = submission.notebooks[0].grades
            points[submission.student_id] = {
                grade.name: grade.auto_score for grade in grades if grade.auto_score is not None
            }
    patched.undo()
    return points


def nbgrader(course: Path, *command: str) -> None:
    environment = os.environ | {"PATH": PATH, "JUPYTER_PLATFORM_DIRS": "1", "HOME": str(course)}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *command, f"--course-dir={course}"],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.mark.slow
@pytest.mark.parametrize("student", sorted(HANDED_IN.keys() - DIFFERENT))
def test_points_are_those_of_nbgrader(
    student: str, autograded: dict[str, dict[str, float]], sandbox: Sandbox
) -> None:
    theirs = {name: autograded[student][name] for name in (c.name for c in LAB.checks)}
    assert ClassicDesk(sandbox).points(**HANDED_IN[student]) == theirs


@pytest.mark.slow
def test_a_warning_costs_points_with_nbgrader_and_none_here(
    autograded: dict[str, dict[str, float]], sandbox: Sandbox
) -> None:
    assert autograded["warns"]["test-mean"] == 0
    assert ClassicDesk(sandbox).points(**HANDED_IN["warns"])["test-mean"] == 2


@pytest.mark.slow
def test_silence_is_full_marks_with_nbgrader_and_nothing_here(
    autograded: dict[str, dict[str, float]], sandbox: Sandbox
) -> None:
    assert autograded["silences"]["test-squares"] == 2
    assert sum(ClassicDesk(sandbox).points(**HANDED_IN["silences"]).values()) == 0
