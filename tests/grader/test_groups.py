"""Labs with `fresh`: one process answers for a group of checks, and what spoils it costs one check alone."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from grader.__main__ import main
from grader.notebook import reference_answers
from grader.protocol import GradingReport, Limits, Verdict
from grader.sandbox.base import Sandbox
from grader.sandbox.kinds import gpu_devices
from labs.catalog import LabError, read_lab, student_notebook
from tests.grader.grading_desk import SEED, Desk, result

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "labs" / "groups"
THREAD = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
HOW = {"forked": "", "in one process": THREAD}


@dataclass
class Counting:
    """A sandbox that notes how many jails were opened."""

    inner: Sandbox
    opened: list[str] = field(default_factory=list)

    def open_jail(self, zygote: str, limits: Limits) -> Any:
        self.opened.append(zygote)
        return self.inner.open_jail(zygote, limits)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.fixture
def groups(sandbox: Sandbox) -> Desk:
    return Desk(Counting(sandbox), read_lab(FOLDER))


def opened(desk: Desk) -> int:
    assert isinstance(desk.sandbox, Counting)
    return len(desk.sandbox.opened)


def graded(desk: Desk, how: str, **cells: str) -> GradingReport:
    start = HOW[how]
    cells = {"first": f"{start}def first(x):\n    return 2 * x"} | cells
    return desk.grade(seed=SEED, on_result=lambda found: None, cancelled=None, **cells)


@pytest.mark.parametrize("how", HOW)
def test_a_process_answers_for_a_group_and_hidden_checks_have_their_own(
    groups: Desk, how: str
) -> None:
    report = graded(groups, how)
    assert report.score == 10, report.results
    assert opened(groups) == 3  # E1, E2, hidden ones of E1


CRASHES = {
    "exits": ("import os; os._exit(3)", Verdict.ERROR),
    "is killed": ("import os; os.kill(os.getpid(), 11)", Verdict.ERROR),
    "never ends": ("while True: pass", Verdict.TIMED_OUT),
    "takes all memory": (
        "keep = [bytearray(b'x' * 10**8) for _ in range(9)]",
        Verdict.OUT_OF_MEMORY,
    ),
    "floods": ("while True: print('x' * 10**5)", Verdict.OUTPUT_LIMIT),
    "speaks out of turn": (
        "import os\n    for fd in range(3, 64):\n        try: os.write(fd, b'x' * 99)\n        except OSError: pass",
        None,
    ),
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("crash", CRASHES)
def test_a_crash_costs_that_check_alone(groups: Desk, how: str, crash: str) -> None:
    body, verdict = CRASHES[crash]
    report = graded(groups, how, third=f"def third(x):\n    {body}")
    assert result(report, "thirds").points == 0
    assert verdict in (None, result(report, "thirds").verdict), report.results
    assert result(report, "firsts").verdict is Verdict.PASSED
    assert result(report, "seconds").verdict is Verdict.PASSED
    assert result(report, "fourths").verdict is Verdict.PASSED
    assert Verdict.INTERNAL_ERROR not in {found.verdict for found in report.results}


def test_what_one_check_spoils_is_asked_again_where_nothing_was_asked(groups: Desk) -> None:
    spoil = THREAD + "def first(x):\n    global second\n    second = None\n    return 2 * x"
    report = groups.grade(first=spoil)
    assert report.score == 10, report.results
    assert opened(groups) > 3


def test_a_thread_that_a_check_left_cannot_answer_the_next(groups: Desk) -> None:
    late = THREAD + (
        "import os, time\n"
        "def first(x):\n"
        "    def write():\n"
        "        while True:\n"
        "            for fd in range(3, 32):\n"
        "                try: os.write(fd, b'\\xff' * 64)\n"
        "                except OSError: pass\n"
        "            time.sleep(0.001)\n"
        "    threading.Thread(target=write, daemon=True).start()\n"
        "    return 2 * x"
    )
    report = groups.grade(first=late)
    assert [found.check for found in report.results if found.verdict is not Verdict.PASSED] in (
        [],
        ["firsts"],
    )


def test_the_verdicts_of_the_checks_that_need_others_hold(groups: Desk) -> None:
    report = graded(groups, "in one process", second="def second(x):\n    return x")
    assert result(report, "seconds").verdict is Verdict.FAILED
    assert result(report, "thirds").verdict is Verdict.NOT_REACHED
    assert result(report, "thirds_hidden").verdict is Verdict.PASSED


def for_a_gpu(folder: Path, zygote: str) -> Path:
    copy = folder / "groups"
    shutil.copytree(FOLDER, copy)
    toml, checks = copy / "lab.toml", copy / "checks.py"
    toml.write_text(toml.read_text().replace('"numpy"', f'"{zygote}"'))
    checks.write_text(checks.read_text().replace("trials=2", "gpu=True, trials=2"))
    return copy


def test_a_check_that_touches_the_gpu_needs_a_lab_of_gpus(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"gpu=True, but lab\.toml says zygote = 'numpy'"):
        read_lab(for_a_gpu(tmp_path, "numpy"))
    lab = read_lab(for_a_gpu(tmp_path / "more", "torch-gpu"))
    assert lab.zygote == "torch-gpu"  # from which campus knows what a worker must have
    assert all(check.gpu for check in lab.checks)


def test_the_command_line_says_that_there_is_no_gpu(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if gpu_devices():
        pytest.skip("this host has a GPU")
    folder = for_a_gpu(tmp_path, "torch-gpu")
    lab = read_lab(folder)
    notebook = tmp_path / "mine.ipynb"
    notebook.write_bytes(student_notebook(lab, reference_answers(lab)))
    assert main(["grade", str(folder), str(notebook)]) != 0
    assert "this lab is graded on a GPU" in capsys.readouterr().err
