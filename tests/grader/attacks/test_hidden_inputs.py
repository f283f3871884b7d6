"""What a hidden check was asked must not reach a student by way of a visible one."""

import re
import time

import pytest

from grader.protocol import CheckResult
from tests.grader.grading_desk import Desk, result

KEPT = {
    "a file in /tmp": ("open('/tmp/leak', 'a').write(text)", "open('/tmp/leak').read()"),
    "shared memory": ("open('/dev/shm/leak', 'a').write(text)", "open('/dev/shm/leak').read()"),
    "a pipe from before the fork": ("os.write(PIPE[1], text.encode())", "os.read(PIPE[0], 65536)"),
}


@pytest.mark.parametrize("technique", KEPT)
def test_no_visible_check_can_print_what_a_hidden_one_was_asked(desk: Desk, technique: str) -> None:
    keep, find = KEPT[technique]
    report = desk.grade(
        total=(
            "import os\nPIPE = os.pipe()\nos.set_blocking(PIPE[0], False)\n"
            "def total(x):\n"
            "    text = 'LENGTH-' + str(len(x)) + ' '\n"
            f"    {keep}\n"
            "    return np.asarray(x).sum()"
        ),
        root=(
            "import time\n"
            "def root(x):\n"
            "    for _ in range(20):\n"
            "        try:\n"
            f"            print({find})\n"
            "        except OSError:\n"
            "            pass\n"
            "        time.sleep(0.02)\n"
            "    return -np.sqrt(x)"
        ),
    )
    assert report.score == 10
    shown = "".join(found.stdout for found in report.results if not found.hidden)
    assert "LENGTH-7" not in shown + report.notebook_stdout  # only the hidden check asks for 7


def test_hidden_checks_are_asked_after_all_visible_ones(desk: Desk) -> None:
    told: list[bool] = []
    desk.grade(on_result=lambda result: told.append(result.hidden))
    assert told == sorted(told)


def test_no_cell_tells_when_a_hidden_check_had_the_notebook_run_again(desk: Desk) -> None:
    """Three seconds or four before the kill would be what was asked, spelled as a time of day."""
    visible: list[float] = []

    def note(result: CheckResult) -> None:
        if not result.hidden:
            visible.append(time.monotonic())

    report = desk.grade(
        total=(
            "import os, signal, time\nprint('RUN', time.monotonic())\nraise KeyError(time.monotonic())"
        ),
        root=(
            "def total(x):\n    if len(x) == 7:\n        os.kill(os.getppid(), signal.SIGKILL); os._exit(0)\n"
            "    return x.sum()\n"
            "def root(x):\n    return -np.sqrt(x)"
        ),
        on_result=note,
    )
    assert result(report, "totals").points == 2
    assert result(report, "totals_hidden").points == 0
    [told] = re.findall(r"RUN ([\d.]+)", report.notebook_stdout)
    assert float(told) < max(visible)
    [raised] = [cell.exception.text for cell in report.cells if cell.exception]
    assert float(raised) < max(visible)
