"""Every verdict, and that whatever goes wrong in one place costs that place alone."""

from threading import Event, Timer

import pytest

from grader.errors import Cancelled, GraderError
from grader.protocol import GradingReport, Verdict
from tests.grader.grading_desk import CHECKS, Desk, result, verdicts

PASSED = Verdict.PASSED


def assert_only_doubling_suffers(report: GradingReport, verdict: Verdict) -> None:
    found = verdicts(report)
    assert found["doubles"] == verdict, result(report, "doubles")
    assert found["totals"] == found["totals_hidden"] == PASSED
    assert found["some_root"] == Verdict.NOT_REACHED  # it needs doubles
    assert report.score == 3


def test_the_reference_earns_everything(desk: Desk) -> None:
    report = desk.grade()
    assert set(verdicts(report).values()) == {PASSED}
    assert report.score == report.max_score == 10
    assert report.wall == desk.sandbox.wall
    assert not report.unsafe


def test_a_wrong_value_names_the_first_element_that_differs(desk: Desk) -> None:
    report = desk.grade(double="def double(x):\n    y = 2 * x\n    y[1, 2] += 1\n    return y")
    assert_only_doubling_suffers(report, Verdict.FAILED)
    found = result(report, "doubles")
    assert found.difference is not None
    assert found.difference.path == "y[1, 2]"
    assert float(found.difference.got) == pytest.approx(float(found.difference.expected) + 1)
    assert found.inputs.startswith("x = np.array([[")


def test_an_exception_comes_with_the_students_own_frames(desk: Desk) -> None:
    source = "def inner(x):\n    return x.nothing\n\ndef double(x):\n    return inner(x)"
    report = desk.grade(double=source)
    assert_only_doubling_suffers(report, Verdict.ERROR)
    info = result(report, "doubles").exception
    assert info is not None
    assert info.type == "AttributeError"
    assert [(line.cell, line.line, line.function) for line in info.trace] == [
        ("double", 5, "double"),
        ("double", 2, "inner"),
    ]
    assert info.trace[-1].source.strip() == "return x.nothing"


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("while True: pass", Verdict.TIMED_OUT),
        ("import time; time.sleep(60)", Verdict.TIMED_OUT),
        ("import os; os._exit(3)", Verdict.ERROR),
        ("import os; os._exit(0)", Verdict.ERROR),
        ("raise SystemExit(0)", Verdict.ERROR),
        ("raise KeyboardInterrupt", Verdict.ERROR),
        ("import ctypes; ctypes.string_at(0)", Verdict.ERROR),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", Verdict.ERROR),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", Verdict.TIMED_OUT),
        ("return double(x)", Verdict.ERROR),
        ("return np.zeros(10**12)", Verdict.OUT_OF_MEMORY),
        ("while True: print('x' * 100000)", Verdict.OUTPUT_LIMIT),
        ("return [0] * 100_000", Verdict.REJECTED),
        ("return 10**5000", Verdict.REJECTED),
        ("return np.zeros(4_000_000)", Verdict.REJECTED),
        ("return raise_", Verdict.ERROR),
    ],
)
def test_trouble_in_one_check_costs_that_check_alone(
    desk: Desk, body: str, verdict: Verdict
) -> None:
    assert_only_doubling_suffers(desk.grade(double=f"def double(x):\n    {body}"), verdict)


@pytest.mark.parametrize(
    "body",
    [
        "keep = []\n    while True: keep.append(bytearray(10**6))",
        "import os\n    keep = bytearray(10**8)\n    for _ in range(8):\n        if not os.fork():\n"
        "            keep = bytearray(b'x' * 10**8); __import__('time').sleep(9)\n    os.wait()",
    ],
    ids=["in its own process", "spread over processes"],
)
def test_the_watchdog_ends_a_check_that_takes_too_much_memory(desk: Desk, body: str) -> None:
    report = desk.grade(double=f"def double(x):\n    {body}")
    assert_only_doubling_suffers(report, Verdict.OUT_OF_MEMORY)


def test_a_notebook_of_which_half_fills_the_memory_still_answers(desk: Desk) -> None:
    report = desk.grade(double="big = np.ones(20 * 2**20)\ndef double(x):\n    return 2 * x")
    assert report.score == 10


@pytest.mark.parametrize(
    "cell",
    [
        "import os; os._exit(3)",
        "import ctypes; ctypes.string_at(0)",
        "while True: pass",
        "def fill():\n    keep = []\n    while True: keep.append(bytearray(b'x' * 10**7))\nfill()",
        "while True: print('x' * 100000)",
        "1 / 0",
        "def double(x) return",
        "raise SystemExit",
        "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
    ],
)
def test_a_cell_that_fails_costs_its_own_exercise_only(desk: Desk, cell: str) -> None:
    report = desk.grade(double=cell)
    assert_only_doubling_suffers(report, Verdict.ERROR)
    found = result(report, "doubles")
    assert "because cell double failed" in found.message
    broken = {cell.cell: cell for cell in report.cells}["double"]
    assert broken.ended == "error"


def test_every_cell_may_kill_the_process_and_every_check_still_gets_a_verdict(desk: Desk) -> None:
    report = desk.grade(double="import os; os._exit(1)", total="import os; os._exit(2)", root="%")
    assert Verdict.PASSED not in verdicts(report).values()
    assert report.score == 0


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("(2 * x).astype(np.float32)", "dtype float32"),
        ("(2 * x).T", "shape (3, 2)"),
        ("(2 * x).tolist()", "a list of 2"),
        ("np.full_like(x, np.nan)", "nan"),
        ("None", "None"),
        ("{'a': 1}", "a dict of 1"),
        ("np.ma.masked_array(2 * x)", "MaskedArray"),
        ("np.matrix(2 * x)", "matrix"),
        ("(2 * x).astype(object)", "dtype object"),
        ("type('Mine', (np.ndarray,), {})(x.shape)", "Mine"),
        ("10**400", "int"),
        ("'\\udc80\\0'", "string"),
        ("b'2x'", "bytes"),
        ("{1: 2}", "dict with keys"),
        ("[[[[2 * x]]]]", "list"),
    ],
)
def test_an_answer_of_another_kind_fails_and_says_of_which(
    desk: Desk, answer: str, said: str
) -> None:
    report = desk.grade(double=f"def double(x):\n    return {answer}")
    assert_only_doubling_suffers(report, Verdict.FAILED)
    assert said in result(report, "doubles").message


def test_deep_nesting_and_endless_structures_are_no_answer(desk: Desk) -> None:
    for body in (
        "y = []\n    for _ in range(5000): y = [y]\n    return y",
        "y = []; y.append(y)\n    return y",
    ):
        assert_only_doubling_suffers(
            desk.grade(double=f"def double(x):\n    {body}"), Verdict.FAILED
        )


@pytest.mark.parametrize("answer", ["np.sqrt(x) * np.nan", "np.zeros((0, 4))", "object()"])
def test_a_verify_never_sees_what_would_fool_any_condition(desk: Desk, answer: str) -> None:
    report = desk.grade(root=f"def root(x):\n    return {answer}")
    assert result(report, "some_root").verdict == Verdict.FAILED
    assert report.score == 6


def test_an_input_that_was_changed_is_noticed(desk: Desk) -> None:
    report = desk.grade(double="def double(x):\n    x *= 2\n    return x")
    assert_only_doubling_suffers(report, Verdict.FAILED)
    assert "the input x was changed" in result(report, "doubles").message


def test_a_missing_name_is_said_to_be_missing(desk: Desk) -> None:
    report = desk.grade(double="")
    assert_only_doubling_suffers(report, Verdict.ERROR)
    assert "defines no `double`" in result(report, "doubles").message


def test_a_part_that_is_not_implemented_says_so(desk: Desk) -> None:
    report = desk.grade(double="def double(x):\n    raise NotImplementedError")
    assert result(report, "doubles").message == "This part is not implemented yet."


@pytest.mark.parametrize(
    "cell",
    [
        "import threading, time\nthreading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
        "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(2)\n"
        "assert list(pool.map(abs, [-1])) == [1]",
        "import multiprocessing as mp\nmp.set_start_method('fork')\npool = mp.Pool(2)\n"
        "assert pool.map(abs, [-1]) == [1]",
        "import subprocess\nchild = subprocess.Popen(['sleep', '99'])\n",
    ],
    ids=["thread", "executor", "pool", "subprocess"],
)
def test_what_a_notebook_left_running_is_there_in_each_check(desk: Desk, cell: str) -> None:
    use = (
        "    if 'pool' in globals(): assert list(pool.map(abs, [-3])) == [3]\n"
        "    if 'child' in globals(): assert child.poll() is None\n"
    )
    report = desk.grade(double=f"{cell}\ndef double(x):\n{use}    return 2 * x")
    assert report.score == 10, [found.message for found in report.results]


def test_a_cell_may_await(desk: Desk) -> None:
    cell = "import asyncio\nawait asyncio.sleep(0)\ndef double(x):\n    return 2 * x"
    assert desk.grade(double=cell).score == 10


def test_the_same_submission_gives_the_same_report_apart_from_times(desk: Desk) -> None:
    def timeless(report: GradingReport) -> GradingReport:
        return report.model_copy(
            update={
                "seconds": 0.0,
                "stages": {},
                "results": tuple(r.model_copy(update={"seconds": 0.0}) for r in report.results),
                "cells": tuple(c.model_copy(update={"seconds": 0.0}) for c in report.cells),
            }
        )

    wrong = "import random\nprint(np.random.rand(), random.random(), hash('x'))\ndef double(x):\n    return x + np.random.rand(*x.shape)"
    first, second = (timeless(desk.grade(double=wrong)) for _ in range(2))
    assert first.model_dump_json() == second.model_dump_json()
    assert result(first, "doubles").verdict == Verdict.FAILED


def test_a_changed_submission_meets_other_inputs(desk: Desk) -> None:
    wrong = "def double(x):\n    return x"
    first = result(desk.grade(double=wrong, seed="1" * 64), "doubles")
    second = result(desk.grade(double=wrong, seed="2" * 64), "doubles")
    assert first.inputs != second.inputs


def test_the_next_trials_inputs_are_not_known_before_the_last_answer(desk: Desk) -> None:
    """Each of the three trials draws anew; a student who repeats the first answer fails at the second."""
    source = (
        "import os\ndef double(x):\n    global y\n    y = globals().get('y', 2 * x)\n    return y"
    )
    found = result(desk.grade(double=source), "doubles")
    assert found.verdict == Verdict.FAILED
    assert found.trials_passed == 1


def test_results_are_told_as_they_fall(desk: Desk) -> None:
    told: list[str] = []
    desk.grade(on_result=lambda found: told.append(found.check))
    assert sorted(told) == sorted(CHECKS)


def test_a_cancelled_grading_ends_soon_and_the_next_one_works(desk: Desk) -> None:
    cancelled = Event()
    timer = Timer(0.3, cancelled.set)
    timer.start()
    with pytest.raises(Cancelled):
        desk.grade(double="import time; time.sleep(60)", cancelled=cancelled)
    assert desk.grade().score == 10


def test_another_version_of_the_lab_is_our_failure(desk: Desk) -> None:
    from grader.runner import grade

    request = desk.request().model_copy(update={"lab_hash": "0" * 64})
    with pytest.raises(GraderError, match="another version"):
        grade(request, sandbox=desk.sandbox, lab=desk.lab)


@pytest.mark.parametrize(
    "notebook",
    ["", "{}", "[" * 100_000, '{"cells": [], "nbformat": 4, "nbformat_minor": 5}', "\ufeff\0"],
)
def test_what_is_no_notebook_is_rejected_with_a_reason(desk: Desk, notebook: str) -> None:
    from grader.runner import grade

    request = desk.request().model_copy(update={"notebook": notebook})
    report = grade(request, sandbox=desk.sandbox, lab=desk.lab)
    assert set(verdicts(report).values()) == {Verdict.REJECTED}
    assert all(found.message for found in report.results)
