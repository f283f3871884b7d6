"""What becomes of submissions that try to hurt: their limits are named and nothing of them is left.

The attacks themselves are in the catalogue.
"""

import os
import time
from pathlib import Path

import pytest

from grader.protocol import Verdict
from grader.sandbox.local import LocalSandbox
from grader.sandbox.memory import descendants
from tests.grader.attacks.catalogue.trial import NAMES
from tests.grader.grading_desk import Desk, result


@pytest.mark.parametrize(
    ("technique", "verdict"),
    [
        ("anonymous shared memory", Verdict.OUT_OF_MEMORY),
        ("memory is held by threads whose process looks dead", Verdict.OUT_OF_MEMORY),
        ("output floods both streams", Verdict.OUTPUT_LIMIT),
    ],
)
def test_a_limit_that_was_met_is_named(desk: Desk, technique: str, verdict: Verdict) -> None:
    assert result(desk.grade(double=NAMES[technique].code), "doubles").verdict == verdict


def test_memory_of_a_notebook_spread_over_processes_is_seen(desk: Desk) -> None:
    cell = (
        "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n"
        "        keep = bytearray(b'x' * 10**8)\n        time.sleep(60)\ntime.sleep(60)"
    )
    report = desk.grade(double=cell)
    assert "used more than the 256 MiB" in result(report, "doubles").message
    assert report.score == 3


@pytest.mark.parametrize(
    "start",
    [
        "pid = os.fork()",
        "pid = os.fork() or os.setsid()",
        "pid = os.fork()\n    if not pid and os.fork(): os._exit(0)",
    ],
    ids=["child", "session of its own", "orphan"],
)
def test_what_a_check_left_running_is_dead_before_the_next(desk: Desk, start: str) -> None:
    cells = {
        "double": (
            f"import os, time\ndef double(x):\n    {start}\n    if not pid:\n        while True:\n"
            "            open('/tmp/alive', 'a').write('x'); time.sleep(0.001)\n    time.sleep(0.1)\n    return 2 * x"
        ),
        # It runs after `doubles`, which it needs.
        "root": (
            "import os, time\ndef root(x):\n    before = os.path.getsize('/tmp/alive')\n    time.sleep(0.2)\n"
            "    assert os.path.getsize('/tmp/alive') == before\n    return np.sqrt(x)"
        ),
    }
    report = desk.grade(**cells)
    assert result(report, "some_root").verdict == Verdict.PASSED, result(report, "some_root")


def test_a_jail_takes_everything_with_it(desk: Desk) -> None:
    if not isinstance(desk.sandbox, LocalSandbox):
        pytest.skip("tests/docker asks this of the docker wall")
    zygote = desk.sandbox._zygotes["numpy"].pid
    cell = (
        "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(99)\n"
        "def double(x):\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(99)\n    return 2 * x"
    )
    desk.grade(double=cell)
    deadline = time.monotonic() + 5
    while len(descendants(zygote)) > 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert descendants(zygote) == [zygote]


def test_one_submission_leaves_nothing_for_the_next(desk: Desk) -> None:
    plant = (
        "import os\nfor place in ('/tmp', '/dev/shm', os.path.expanduser('~'), '.'):\n"
        "    open(f'{place}/planted', 'w').write('planted')\ndef double(x):\n    return 2 * x"
    )
    assert desk.grade(double=plant).score == 10
    told = desk.seen(
        "import os\nfor place in ('/tmp', '/dev/shm', os.path.expanduser('~'), '.'):\n    print(os.listdir(place))"
    )
    assert "planted" not in told
    assert not Path("/tmp/planted").exists()
    assert not Path("/dev/shm/planted").exists()
    assert os.getuid() == 0 or os.geteuid() != 0
