"""Many gradings leave nothing behind; a death at any moment leaves nobody behind."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from grader.errors import GraderError
from grader.inside.jail import FIRST_HOST_ID
from grader.sandbox import open_sandbox
from grader.sandbox.local import LocalSandbox
from grader.sandbox.memory import descendants, private_bytes
from tests.grader.grading_desk import Desk

ROOT = Path(__file__).resolve().parents[2]
MIB = 2**20


def zygote_of(desk: Desk) -> int:
    assert isinstance(desk.sandbox, LocalSandbox)
    return desk.sandbox._zygotes["numpy"].pid


def alone(zygote: int, seconds: float = 5.0) -> bool:
    """Wait until the zygote has no descendants; the dead take a moment to be reaped."""
    deadline = time.monotonic() + seconds
    while len(descendants(zygote)) > 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    return descendants(zygote) == [zygote]


def counts(zygote: int) -> dict[str, object]:
    return {
        "our descriptors": len(os.listdir("/proc/self/fd")),
        "the zygote's descriptors": len(os.listdir(f"/proc/{zygote}/fd")),
        "our mounts": Path("/proc/self/mountinfo").read_text(),
        "the zygote's mounts": Path(f"/proc/{zygote}/mountinfo").read_text(),
        "files of jails": [
            entry.path
            for place in ("/tmp", "/dev/shm", "/var/tmp", "/mnt")
            for entry in os.scandir(place)
            if entry.stat(follow_symlinks=False).st_uid >= FIRST_HOST_ID
        ],
        "threads": threading.active_count(),
    }


@pytest.mark.slow
def test_three_hundred_gradings_leave_nothing_behind() -> None:
    sandbox = open_sandbox(wall="local")
    desk = Desk(sandbox)
    bad = "import os\ndef double(x):\n    os._exit(1)"
    worse = "import os; os._exit(1)"
    try:
        for cell in (None, bad, worse):  # warm: caches, threads, the referee
            desk.grade(**({"double": cell} if cell else {}))
        zygote = zygote_of(desk)
        assert alone(zygote)
        before, memory = counts(zygote), private_bytes(zygote)
        for number in range(300):
            cell = {0: bad, 1: worse}.get(number % 10)
            report = desk.grade(**({"double": cell} if cell else {}))
            assert report.score == (3 if cell else 10)
        assert alone(zygote)
        after = counts(zygote)
        # What an earlier test in this process left may end meanwhile: fewer is no leak.
        grown = {
            name: (before[name], now)
            for name, now in after.items()
            if (now > before[name] if isinstance(now, int) else now != before[name])
        }
        assert grown == {}
        assert private_bytes(zygote) - memory < 4 * MIB
    finally:
        sandbox.close()


OWNER = """
import sys
sys.path.insert(0, {root!r})
from grader.sandbox import open_sandbox
from tests.grader.grading_desk import Desk
desk = Desk(open_sandbox(wall="local"))
print(desk.sandbox._zygotes["numpy"].pid, flush=True)
while True:
    desk.grade(double="import os, time\\ndef double(x):\\n    os.fork() or (os.setsid(), time.sleep(60))\\n    time.sleep(0.05)\\n    return 2 * x")
"""


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("moment", range(3))
def test_kill_9_of_the_owner_leaves_no_process_behind(moment: int) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(root=str(ROOT))], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert owner.stdout is not None
    zygote = int(owner.stdout.readline())
    time.sleep(random.Random(moment).uniform(0.2, 1.2))
    everyone = descendants(zygote)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    deadline = time.monotonic() + 2
    while any(is_alive(pid) for pid in everyone) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [pid for pid in everyone if is_alive(pid)]


@pytest.mark.parametrize(
    "cell",
    ["import time; time.sleep(60)", "import time\ndef double(x):\n    time.sleep(60)"],
    ids=["in a cell", "in a check"],
)
def test_kill_9_of_the_zygote_is_our_failure_and_the_next_grading_works(cell: str) -> None:
    sandbox = open_sandbox(wall="local")
    desk = Desk(sandbox)
    try:
        zygote = zygote_of(desk)
        timer = threading.Timer(0.6, os.kill, (zygote, signal.SIGKILL))
        timer.start()
        with pytest.raises(GraderError):
            desk.grade(double=cell)
        assert desk.grade().score == 10
        assert zygote_of(desk) != zygote
    finally:
        sandbox.close()


@pytest.mark.parametrize("which", [1, 2, 3], ids=["builder", "init", "student"])
@pytest.mark.parametrize(
    "cell",
    [
        "import time; time.sleep(0.8)\ndef double(x):\n    return 2 * x",
        "import time\ndef double(x):\n    time.sleep(0.3)\n    return 2 * x",
    ],
    ids=["in a cell", "in a check"],
)
def test_kill_9_of_a_jails_process_from_outside_costs_the_student_nothing(
    cell: str, which: int
) -> None:
    sandbox = open_sandbox(wall="local")
    desk = Desk(sandbox)

    def kill() -> None:
        family = descendants(zygote_of(desk))
        os.kill(family[min(which, len(family) - 1)], signal.SIGKILL)

    timer = threading.Timer(0.4, kill)
    try:
        timer.start()
        assert desk.grade(double=cell).score == 10
    finally:
        timer.cancel()
        sandbox.close()
