"""Classic nbgrader notebooks: their asserts give the points, in the jail and with the sharp edges off."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from grader.errors import LabError
from grader.protocol import Verdict
from grader.sandbox.base import Sandbox
from labs.catalog import read_lab, student_notebook
from tests.grader.classic_desk import SQUARES, SUMS, ClassicDesk

FULL = {
    "test-squares": 2,
    "test-squares-errors": 1,
    "test-mean": 2,
    "partial-mean": 4,
    "hidden-mean": 1,
}
NOTHING = dict.fromkeys(FULL, 0)


@pytest.fixture(scope="module")
def desk(sandbox: Sandbox) -> ClassicDesk:
    return ClassicDesk(sandbox)


def test_the_solution_gets_all_points_and_the_notebook_is_named_as_the_judge(
    desk: ClassicDesk,
) -> None:
    report = desk.grade()
    assert {r.check: float(r.points) for r in report.results} == FULL
    assert report.graded_by == "notebook"
    assert (report.score, report.max_score) == (10, 10)


def test_what_a_human_grades_waits_and_is_no_zero(desk: ClassicDesk) -> None:
    report = desk.grade(words="YOUR ANSWER HERE")
    waiting = {item.cell: (float(item.max_points), item.answered) for item in report.manual}
    assert waiting == {"words": (3, False), "drawing": (2, True)}
    assert report.max_score == 10


def test_the_starter_earns_nothing(desk: ClassicDesk) -> None:
    starter = {cell.id: cell.source for cell in desk.lab.cells if cell.role == "exercise"}
    assert desk.points(**starter) == NOTHING
    said = desk.result("test-squares", **starter).message
    assert said == "This part is not implemented yet."


def test_a_visible_test_shows_its_line_and_the_students_line(desk: ClassicDesk) -> None:
    result = desk.result("test-squares", squares="def squares(n):\n    return 1 / 0")
    assert result.verdict is Verdict.ERROR
    assert result.message == "ZeroDivisionError: division by zero"
    assert result.exception is not None
    assert [(f.cell, f.source.strip()) for f in result.exception.trace] == [
        ("test-squares", "assert squares(1) == [1]"),
        ("squares", "return 1 / 0"),
    ]


def test_part_of_the_points_is_given_by_the_number_that_a_cell_ends_with(desk: ClassicDesk) -> None:
    result = desk.result("partial-mean", mean="def mean(xs):\n    return 1.0")
    assert (result.verdict, float(result.points)) == (Verdict.FAILED, 1)
    assert result.message == "1 of 4 points."


def test_names_that_an_earlier_visible_test_imports_are_there_for_later_ones(
    desk: ClassicDesk,
) -> None:
    assert desk.points()["test-mean"] == 2  # it uses the isclose that the first test imports


def test_a_test_meets_the_notebook_as_it_was_at_that_place(desk: ClassicDesk) -> None:
    redefines = "def mean(xs):\n    return sum(xs) / len(xs)\ndef squares(n):\n    return 'other'"
    assert desk.points(mean=redefines) == FULL


def test_a_crash_or_a_hang_costs_its_own_tests_alone(desk: ClassicDesk) -> None:
    crashed = desk.points(mean="import os\ndef mean(xs):\n    os._exit(0)")
    assert crashed == FULL | {"test-mean": 0, "partial-mean": 0, "hidden-mean": 0}
    in_cell = desk.points(squares="import os\nos._exit(0)")
    assert in_cell == FULL | {"test-squares": 0, "test-squares-errors": 0}


SILENT = {
    "exits": "import os\ndef squares(n):\n    os._exit(0)",
    "raises SystemExit": "def squares(n):\n    raise SystemExit(0)",
    "calls exit": "def squares(n):\n    exit()",
    "raises KeyboardInterrupt": "def squares(n):\n    raise KeyboardInterrupt",
    "kills itself": "import os, signal\ndef squares(n):\n    os.kill(os.getpid(), signal.SIGKILL)",
    "blanks every later cell": (
        "shell = get_ipython()\nshell.input_transformers_cleanup.append(lambda lines: ['pass'])\n"
        "shell.transform_cell = lambda source: 'pass'\ndef squares(n):\n    return []"
    ),
    "atexit and exit": (
        "import atexit, os\natexit.register(lambda: os._exit(0))\n"
        "def squares(n):\n    raise SystemExit"
    ),
}


@pytest.mark.parametrize("trick", SILENT)
def test_silence_is_no_pass(desk: ClassicDesk, trick: str) -> None:
    points = desk.points(squares=SILENT[trick])
    assert (points["test-squares"], points["test-squares-errors"]) == (0, 0)


FAKED = {
    "builtins patched": (
        "import builtins\nbuiltins.AssertionError = ValueError\nbuiltins.len = lambda x: 1\n"
        "builtins.isinstance = lambda *a: True\nbuiltins.type = lambda x: int\n"
        "def squares(n):\n    return 0"
    ),
    "exceptions swallowed by a hook": (
        "import sys\nsys.excepthook = lambda *a: None\nget_ipython().showtraceback = print\n"
        "def squares(n):\n    return 0"
    ),
    "a trace function that leaves": (
        "import sys, os\ndef tracer(frame, event, arg):\n    return tracer\n"
        "sys.settrace(tracer)\ndef squares(n):\n    return 0"
    ),
    "equal to everything": (
        "class Any:\n    def __eq__(self, other):\n        return True\n"
        "def squares(n):\n    return Any()"
    ),
    "a list of what is equal to everything": (
        "class Any:\n    def __eq__(self, other):\n        return True\n"
        "def squares(n):\n    return [Any() for _ in range(n)]"
    ),
    "a list that is equal to everything": (
        "class Any(list):\n    def __eq__(self, other):\n        return True\n"
        "def squares(n):\n    return Any()"
    ),
    "a number printed and displayed": (
        "from IPython.display import display\n"
        "def squares(n):\n    print(2)\n    display({'text/plain': '2'}, raw=True)\n    return 0"
    ),
    "displayhook": (
        "import sys\nsys.displayhook = lambda value: None\ndef squares(n):\n    return 0"
    ),
    "the names of the test's answers": (
        "class Module:\n    def __getattr__(self, name):\n        return lambda *a, **k: True\n"
        "import sys\nsys.modules['math'] = Module()\ndef squares(n):\n    return 0"
    ),
}


@pytest.mark.parametrize("trick", FAKED)
def test_what_is_patched_or_printed_earns_nothing(desk: ClassicDesk, trick: str) -> None:
    points = desk.points(squares=FAKED[trick])
    assert (points["test-squares"], points["test-squares-errors"]) == (0, 0)


def test_a_patched_helper_of_the_tests_is_put_back(desk: ClassicDesk) -> None:
    """test-mean asks math.isclose, which the answer has replaced."""
    lie = "import math\nmath.isclose = lambda *a, **k: True\ndef mean(xs):\n    return 0.0"
    assert desk.points(mean=lie)["test-mean"] == 0
    code = (
        "def lie(*a, **k):\n    return True\nfor f in (np.allclose, np.testing.assert_allclose):\n"
    )
    code += "    getattr(f, '_implementation', f).__code__ = lie.__code__\n"
    probe = code + "def mean(xs):\n    return sum(xs) / len(xs)"
    assert desk.points(mean=probe) == FULL


def test_a_builtin_that_the_student_happens_to_redefine_does_not_spoil_the_test(
    desk: ClassicDesk,
) -> None:
    shadowing = "Exception = 3\ndef mean(xs):\n    total = 0\n    for x in xs: total += x\n"
    assert desk.points(mean=shadowing + "    return total / len(xs)")["partial-mean"] == 4


def test_a_warning_on_stderr_is_no_zero(desk: ClassicDesk) -> None:
    loud = "import sys, warnings\ndef mean(xs):\n    warnings.warn('hm'); print('!', file=sys.stderr)\n"
    assert desk.points(mean=loud + "    return sum(xs) / len(xs)") == FULL


HIDDEN_TEXTS = ("secret eleven", "seven and nine", "squares(11)", "121", "[7, 9]")


def test_hidden_tests_are_in_no_text_of_the_report(desk: ClassicDesk) -> None:
    spies = {
        "squares": SQUARES + "\n_told = squares\ndef squares(n):\n    import sys\n"
        "    if n > 10:\n        print('asked', n)\n        open('/tmp/told', 'a').write(repr(n))\n"
        "        frame = sys._getframe(1)\n        print(frame.f_code.co_consts)\n"
        "        raise type('T' + str(n), (Exception,), {})(str(frame.f_code.co_consts))\n"
        "    try:\n        print(open('/tmp/told').read())\n    except OSError:\n        pass\n"
        "    return _told(n)",
        "mean": "import linecache\nprint(list(linecache.cache.values()))\n"
        "try:\n    print('found', open('/tmp/told').read())\nexcept OSError:\n    pass\n"
        "def mean(xs):\n    if xs[0] == 7:\n        raise RuntimeError(xs)\n"
        "    return sum(xs) / len(xs)",
    }
    report = desk.grade(**spies)
    text = re.sub(r"\d+\.\d+(e-?\d+)?", "", report.model_dump_json())  # times have digits, too
    assert not [secret for secret in HIDDEN_TEXTS if secret in text]
    assert "found 1" not in report.notebook_stdout
    verdicts = {r.check: r.verdict for r in report.results}
    assert verdicts["test-squares-errors"] is Verdict.ERROR
    assert verdicts["hidden-mean"] is Verdict.ERROR


def test_the_students_version_has_neither_solutions_nor_hidden_tests_nor_the_mark_scheme() -> None:
    content = student_notebook(read_lab(SUMS)).decode()
    for secret in (*HIDDEN_TEXTS, "i ** 2", "Two points for axes", "With outliers", "BEGIN"):
        assert secret not in content


def variant(place: Path, spoil: Any) -> Path:
    """A copy of the assignment whose notebook went through `spoil`."""
    folder = place / "sums"
    shutil.copytree(SUMS, folder)
    path = folder / "sums.ipynb"
    notebook = json.loads(path.read_text())
    spoil(notebook)
    path.write_text(json.dumps(notebook))
    return folder


def more_than_it_is_worth(notebook: dict[str, Any]) -> None:
    cell = next(c for c in notebook["cells"] if "points += 1" in "".join(c["source"]))
    cell["source"] = "mean([90])"


def test_a_cell_that_gives_more_than_it_is_worth_gives_nothing_and_is_flagged(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    desk = ClassicDesk(sandbox, read_lab(variant(tmp_path, more_than_it_is_worth)))
    report = desk.grade()
    assert {r.check: float(r.points) for r in report.results}["partial-mean"] == 0
    assert [flag.cell for flag in report.flags] == ["partial-mean"]


def twice(notebook: dict[str, Any]) -> None:
    notebook["cells"].append(dict(notebook["cells"][3], id="copy"))


def unclosed(notebook: dict[str, Any]) -> None:
    notebook["cells"][3]["source"] = "### BEGIN SOLUTION\nx = 1"


def ungraded(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        cell["source"] = "x = 1"


def julia(notebook: dict[str, Any]) -> None:
    notebook["metadata"]["kernelspec"]["language"] = "julia"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (twice, "cell number 15: grade_id 'squares' is used by cell number 4 already"),
        (unclosed, "cell number 4: BEGIN SOLUTION without END SOLUTION"),
        (ungraded, "no cell is graded"),
        (julia, "only Python is graded"),
    ],
)
def test_what_is_wrong_with_an_assignment_is_said_with_its_cell(
    tmp_path: Path, spoil: Any, said: str
) -> None:
    with pytest.raises(LabError) as refused:
        read_lab(variant(tmp_path, spoil))
    assert said in str(refused.value)
