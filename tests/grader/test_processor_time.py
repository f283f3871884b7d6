"""Processor time is limited for a notebook's run and for each check, over all processes together."""

from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import LabError
from grader.protocol import CheckResult, Verdict
from grader.referee import Referee
from grader.sandbox.base import Sandbox
from tests.grader.grading_desk import Desk, result
from tests.grader.made_lab import SIMPLE, desk, one

BURN = "def burn(seconds):\n    import time\n    end = time.process_time() + seconds\n    while time.process_time() < end: pass\n"
BUSY = {
    "a loop": "    burn(99)",
    "threads": (
        "    import threading\n    busy = [threading.Thread(target=burn, args=(99,)) for _ in range(3)]\n"
        "    [t.start() for t in busy], [t.join() for t in busy]"
    ),
    "children": (
        "    import os, time\n    for _ in range(10):\n        if os.fork() == 0:\n            burn(99)\n"
        "    time.sleep(99)"
    ),
    "children one after another": (
        "    import os\n    for _ in range(99):\n        if os.fork() == 0:\n            burn(0.2); os._exit(0)\n"
        "        os.wait()"
    ),
    "an orphan in a session of its own": (
        "    import os, time\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n"
        "            burn(99)\n        os._exit(0)\n    time.sleep(99)"
    ),
}


def limited(desk: Desk, **limits: float) -> Desk:
    roomy = {"notebook_wall_seconds": 60.0, "check_wall_seconds": 60.0}
    changed = desk.lab.limits.model_copy(update={**roomy, **limits})
    return replace(desk, lab=replace(desk.lab, limits=changed))


def is_over(found: CheckResult, seconds: str) -> bool:
    said = f"used more than the {seconds} s of processor time that it may use"
    return found.verdict is Verdict.TIMED_OUT and said in found.message


@pytest.mark.parametrize("how", BUSY)
def test_a_check_may_use_its_processor_time_and_costs_no_other_check_any(
    desk: Desk, how: str
) -> None:
    report = limited(desk, check_cpu_seconds=0.5).grade(
        double=f"{BURN}def double(x):\n{BUSY[how]}\n    return 2 * x"
    )
    found = result(report, "doubles")
    assert found.message == (
        "The check used more than the 0.5 s of processor time that it may use."
    ), found
    assert found.verdict is Verdict.TIMED_OUT
    assert report.score == 3, report.results


@pytest.mark.parametrize("how", ["a loop", "children"])
def test_a_cell_may_use_the_notebooks_processor_time(desk: Desk, how: str) -> None:
    cell = f"{BURN}def start():\n{BUSY[how]}\nstart()\ndef double(x):\n    return 2 * x"
    report = limited(desk, cpu_seconds=0.5).grade(double=cell)
    ended = next(cell for cell in report.cells if cell.exception is not None)
    assert ended.exception is not None
    assert "0.5 s of processor time" in ended.exception.text
    assert report.score == 3


def test_who_sleeps_uses_no_processor_time(desk: Desk) -> None:
    cell = "import time\ntime.sleep(0.7)\ndef double(x):\n    time.sleep(0.7)\n    return 2 * x"
    assert limited(desk, cpu_seconds=0.6, check_cpu_seconds=0.6).grade(double=cell).score == 10


def test_the_notebooks_time_is_not_the_checks_also_where_it_is_run_again(desk: Desk) -> None:
    cell = (
        f"{BURN}import threading, time\nthreading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n"
        "burn(0.8)\ndef double(x):\n    {}return 2 * x"
    )
    limits = limited(desk, check_cpu_seconds=0.5)
    assert limits.grade(double=cell.format("")).score == 10
    assert is_over(result(limits.grade(double=cell.format("burn(99); ")), "doubles"), "0.5")


def test_a_check_sets_its_own_limit_beside_the_labs(sandbox: Sandbox, tmp_path: Path) -> None:
    checks = SIMPLE.format(x="1.0", more=", limits={'check_cpu_seconds': 0.4}")
    lab = desk(sandbox, tmp_path, checks, "    return x")
    busy = one("    while True: pass", "x")
    assert is_over(result(lab.grade(one=busy), "asked"), "0.4")


def test_every_rank_may_use_the_limit(sandbox: Sandbox, tmp_path: Path) -> None:
    checks = SIMPLE.format(x="1.0", more=", ranks=2, limits={'check_cpu_seconds': 0.4}").replace(
        "(lab, x)", "(lab, comm, x)"
    )
    lab = desk(
        sandbox, tmp_path, checks.replace("one(x)", "one(x, comm)"), "    return x", "x, comm"
    )
    assert lab.grade().score == 10
    busy = one("    while comm.rank == 1: pass\n    return comm.recv(1)", "x, comm")
    found = result(lab.grade(one=busy), "asked")
    assert is_over(found, "0.4")
    assert found.message.startswith("rank 1: ")


@pytest.mark.parametrize("limit", ["0", "-1", "'much'", "float('inf')"])
def test_a_limit_that_is_none_is_refused_with_a_sentence(
    sandbox: Sandbox, tmp_path: Path, limit: str
) -> None:
    checks = SIMPLE.format(x="1.0", more=f", limits={{'check_cpu_seconds': {limit}}}")
    lab = desk(sandbox, tmp_path, checks, "    return x").lab
    with pytest.raises(LabError, match=r"check asked: limits: check_cpu_seconds: "):
        Referee(lab)
