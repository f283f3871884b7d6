"""What a hidden check was asked must not reach a student by way of a visible one."""

import pytest

from tests.grader.grading_desk import Desk

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
