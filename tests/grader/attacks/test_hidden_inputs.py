"""What a hidden check was asked must not reach a student by way of a visible one."""

import json
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


CHANNELS = {
    "printed": "print(SECRET)",
    "printed to the other stream": "sys.stderr.write(SECRET)",
    "text of an exception": "raise ValueError(SECRET)",
    "name of an exception's class": "raise type(SECRET, (Exception,), {})",
    "dotted name of an exception's class": "raise type(SECRET + '.ValueError', (Exception,), {})",
    "module of an exception's class": "raise type('ValueError', (Exception,), {'__module__': SECRET})",
    "note of an exception": "e = ValueError(); e.add_note(SECRET); raise e",
    "cause of an exception": "raise ValueError from KeyError(SECRET)",
    "name of a function on the stack": "exec(f'def {SECRET.replace(\"-\", \"_\")}(): 1 / 0'); locals()[SECRET.replace('-', '_')]()",
    "keys of the answer": "return {SECRET: 1}",
    "value of the answer": "return SECRET",
    "class of the answer": "return type(SECRET, (), {})()",
    "dtype of the answer": "return np.zeros(1, dtype=[(SECRET, 'f8')])",
    "shape of the answer": "return np.zeros((7717,))",
    "exit code": "os._exit(77)",
    "signal": "os.kill(os.getpid(), 34)",
    "name of its process": "open('/proc/self/comm', 'w').write(SECRET); os._exit(1)",
    "names of files": "open('/tmp/' + SECRET, 'w'); open('/dev/shm/' + SECRET, 'w')",
    "output of the notebook's process": "os.kill(os.getppid(), 9); print(SECRET); os._exit(0)",
    "frames of its own": "CLAIM(SECRET)",
}
CLAIM = """
import os, sys, json, struct
def CLAIM(text):
    told = {"exception": {"d": {"type": text + ".KeyError", "text": text, "trace": [["total", 1, text], [text, 1, text]]}}}
    header = json.dumps({"tree": {"d": told}, "buffers": []}).encode()
    for fd in range(3, 64):
        try: os.write(fd, struct.pack(">IQ", len(header), 0) + header)
        except OSError: pass
"""


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_a_hidden_check_was_asked_has_no_way_to_its_student(desk: Desk, channel: str) -> None:
    """Seven numbers are asked only there; `LENGTH-7717` stands for what they are."""
    from campus.submissions.feedback import visible_result

    report = desk.grade(
        total=(
            f"{CLAIM}\ndef total(x):\n    if len(x) != 7:\n        return np.asarray(x).sum()\n"
            f"    SECRET = f'LENGTH-{{len(x)}}717'\n    {CHANNELS[channel]}\n    return x.sum() + 1"
        )
    )
    assert result(report, "totals_hidden").points == 0
    shown = [visible_result(r.model_dump(mode="json"), staff=False) for r in report.results]
    text = json.dumps([shown, report.notebook_stdout, [c.model_dump() for c in report.cells]])
    text = re.sub(r"\d+\.\d+(e-?\d+)?", "", text)  # times have digits, too
    assert "7717" not in text
    assert "code 77" not in text
    [hidden] = [found for found in shown if found["hidden"]]
    assert len(json.dumps(hidden)) < 600
