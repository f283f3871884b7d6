"""Named mistakes, forbidden functions, and labs whose notebook is run again for every check."""

from pathlib import Path

import pytest

from grader.protocol import CheckResult, GradingReport, Verdict
from grader.sandbox.base import Sandbox
from labs.catalog import read_lab
from tests.grader.grading_desk import Desk, result
from tests.labs.tiny import TOML, write_tiny_lab


@pytest.fixture
def squares(sandbox: Sandbox, tmp_path: Path) -> Desk:
    toml = TOML.replace('["torch"]', '["torch", "numpy.square", "math.pow"]')
    return Desk(sandbox, read_lab(write_tiny_lab(tmp_path, toml=toml)))


def graded(desk: Desk, source: str) -> tuple[GradingReport, list[CheckResult]]:
    told: list[CheckResult] = []
    return desk.grade(square=source, on_result=told.append), told


def test_a_wrong_answer_that_equals_a_known_mistake_gets_its_hint(squares: Desk) -> None:
    report, told = graded(squares, "def square(x):\n    return x * x * x")
    found = result(report, "squares")
    assert found.mistake == "wrong_2"
    assert found.hint == "Computes x**3."
    assert [(r.check, r.mistake) for r in told] == [  # all verdicts first, then better hints
        ("squares", ""),
        ("hidden", ""),
        ("squares", "wrong_2"),
    ]


def test_a_wrong_answer_of_its_own_keeps_the_hint_of_the_check(squares: Desk) -> None:
    report, told = graded(squares, "def square(x):\n    return x * x + 17")
    assert result(report, "squares").hint == "x times x"
    assert len(told) == 2


def test_a_right_answer_runs_no_mistakes(squares: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.naming.Namer.__init__", None)
    assert squares.grade().score == 5


def test_what_a_mistake_answers_is_kept_for_the_same_inputs(
    squares: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "def square(x):\n    return x + x"
    graded(squares, source)
    monkeypatch.setattr("grader.naming.Namer._asked", None)
    assert result(graded(squares, source)[0], "squares").mistake == "wrong_0"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("import numpy as np\ndef square(x):\n    return np.square(x)", 3),
        ("from numpy import square as s\ndef square(x):\n    return s(x)", 3),
        ("import numpy\ndef square(x):\n    return getattr(numpy, 'square')(x)", 3),
    ],
)
def test_a_forbidden_function_raises_and_is_flagged(squares: Desk, source: str, line: int) -> None:
    report = squares.grade(square=source)
    found = result(report, "squares")
    assert found.verdict is Verdict.ERROR
    assert "numpy.square, which this lab does not allow" in found.message
    assert ("forbidden", "square", line) in {(f.kind, f.cell, f.line) for f in report.flags}
    assert any("numpy.square" in flag.text for flag in report.flags)


def test_a_flag_changes_no_score(squares: Desk) -> None:
    report = squares.grade(
        square="import numpy as np\ndef square(x):\n    np.square\n    return x * x"
    )
    assert report.score == 5
    assert [flag.text for flag in report.flags] == ["uses numpy.square"]


@pytest.mark.parametrize(
    "route",
    [
        "import torch",
        "import importlib; importlib.import_module('torch')",
        "__import__('torch')",
        "import sys; sys.modules['torch']",
        "import sys; sys.modules.pop('torch', None); import torch",
        "import ctypes; ctypes.CDLL('libtorch_python.so')",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import torch'], check=True)",
        "import subprocess, sys; "
        "subprocess.run([sys.executable, '-m', 'pip', 'install', '--retries', '0', 'torch'], "
        "check=True)",
        "import importlib.util as u\n    assert u.find_spec('torch') is not None",
        "import os, sys\n    assert any(os.path.exists(place + '/torch') for place in sys.path)",
    ],
)
def test_a_package_that_is_forbidden_by_absence_cannot_be_got(squares: Desk, route: str) -> None:
    report = squares.grade(square=f"def square(x):\n    {route}\n    return x * x")
    assert result(report, "squares").verdict in (Verdict.ERROR, Verdict.TIMED_OUT)
    assert report.score == 0


def test_where_the_notebook_cannot_be_forked_a_lab_may_have_its_own_process_answer(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    desk = Desk(sandbox, read_lab(write_tiny_lab(tmp_path, toml="fresh = true\n" + TOML)))
    source = (
        "import os, threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "ME = os.getpid()\ndef square(x):\n    print(os.getpid() == ME)\n    return x * x"
    )
    report = desk.grade(square=source)
    assert report.score == 5
    assert result(report, "squares").stdout == "True\n"  # the process that ran the notebook answers


def test_only_the_checks_that_are_wanted_are_asked(sandbox: Sandbox, tmp_path: Path) -> None:
    from grader.runner import grade

    desk = Desk(sandbox, read_lab(write_tiny_lab(tmp_path)))
    for only, asked in ((["squares"], ["squares"]), (["hidden"], ["squares", "hidden"])):
        report = grade(desk.request(), sandbox=sandbox, lab=desk.lab, only=only)
        assert [found.check for found in report.results] == asked


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("np.multiply(x, x, out=x)", Verdict.FAILED),
        ("np.matrix(x * x)", Verdict.FAILED),
        ("np.ma.masked_array(x * x)", Verdict.FAILED),
        ("(x * x).astype(np.float32)", Verdict.FAILED),
        ("list(x * x)", Verdict.FAILED),
        ("np.full_like(x, np.nan)", Verdict.FAILED),
        ("x * x", Verdict.PASSED),
    ],
)
def test_types_are_exact(squares: Desk, expression: str, verdict: Verdict) -> None:
    source = f"import numpy as np\ndef square(x):\n    return {expression}"
    assert result(squares.grade(square=source), "squares").verdict is verdict


def test_an_answer_in_the_memory_of_an_input_is_refused_where_the_check_says_so(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    from tests.labs.tiny import CHECKS, PAGE

    checks = CHECKS.replace("hint=", "unaliased=True, hint=", 1).replace(
        "lab.square(x)", "lab.square(x)[:2]"
    )
    page = PAGE.replace("    return x * x\n", "    return +x\n")
    folder = write_tiny_lab(tmp_path, checks=checks, page=page)
    desk = Desk(sandbox, read_lab(folder))
    found = result(desk.grade(square="def square(x):\n    return x"), "squares")
    assert found.verdict is Verdict.FAILED
    assert "lie in the memory of the input x" in found.message
