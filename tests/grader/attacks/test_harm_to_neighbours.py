"""Submissions that try to hurt: other checks, other submissions, the worker, the host.

Every attack is in the first exercise. Whatever it does, the second exercise's checks pass, no verdict is
ours to answer for, and the jail is gone afterwards.
"""

import os
import time
from pathlib import Path

import pytest

from grader.protocol import Verdict
from grader.sandbox.local import LocalSandbox
from grader.sandbox.memory import descendants
from tests.grader.grading_desk import Desk, result, verdicts

LIBC = "import ctypes, os, signal, time\nlibc = ctypes.CDLL(None, use_errno=True)\n"

ATTACKS = {
    "fork bomb": "import os\ndef double(x):\n    while True:\n        try: os.fork()\n        except OSError: pass",
    "fork bomb of orphans": (
        "import os, time\ndef double(x):\n    while True:\n        try:\n"
        "            if os.fork() == 0:\n                os.setsid()\n                if os.fork(): os._exit(0)\n"
        "        except OSError: pass"
    ),
    "thread bomb": (
        "import threading, time\ndef double(x):\n    while True:\n"
        "        try: threading.Thread(target=time.sleep, args=(9,)).start()\n        except RuntimeError: pass"
    ),
    "everything that may be killed is killed": (
        "import os, signal\ndef double(x):\n    os.kill(-1, signal.SIGKILL)"
    ),
    "everything that may be stopped is stopped": (
        "import os, signal\ndef double(x):\n    os.kill(-1, signal.SIGSTOP)\n    return x"
    ),
    "init is sent every signal": (
        "import os\ndef double(x):\n    for n in range(1, 65):\n        try: os.kill(1, n)\n"
        "        except OSError: pass\n    return x"
    ),
    "the notebook's process is killed": (
        "import os, signal\ndef double(x):\n    os.kill(os.getppid(), signal.SIGKILL)\n    return x"
    ),
    "the notebook's process is stopped": (
        "import os, signal\ndef double(x):\n    os.kill(os.getppid(), signal.SIGSTOP)\n    return x"
    ),
    "init's limits are lowered": LIBC
    + (
        "def double(x):\n    for which in range(16):\n"
        "        libc.prlimit(1, which, ctypes.create_string_buffer(16), None)\n"
        "        libc.prlimit(os.getppid(), which, ctypes.create_string_buffer(16), None)\n    return x"
    ),
    "processes have names that are no text": LIBC
    + (
        "def double(x):\n    for i in range(5):\n        if os.fork() == 0:\n"
        "            libc.prctl(15, b'\\xff) Z 1 \\n\\xfe'); time.sleep(99)\n"
        "    libc.prctl(15, b'\\xff\\xfe'); time.sleep(0.3); return x"
    ),
    "a process lives on in a thread when its first one has ended": LIBC
    + (
        "import threading\n"
        "def live():\n    while True: time.sleep(0.01)\n"
        "def double(x):\n    if os.fork() == 0:\n        threading.Thread(target=live).start()\n"
        "        libc.syscall(60, 0)\n    time.sleep(0.2)\n    return x"
    ),
    "memory is held by threads whose process looks dead": LIBC
    + (
        "import threading\n"
        "def fill():\n    keep = []\n    while True: keep.append(bytearray(b'x' * 10**7)); time.sleep(0.005)\n"
        "def double(x):\n    for _ in range(6):\n        if os.fork() == 0:\n"
        "            threading.Thread(target=fill).start()\n            libc.syscall(60, 0)\n"
        "    time.sleep(60)"
    ),
    "shared memory in /dev/shm": (
        "import mmap, os\ndef double(x):\n    fd = os.open('/dev/shm/x', os.O_RDWR | os.O_CREAT)\n"
        "    os.ftruncate(fd, 2**26 - 4096)\n    m = mmap.mmap(fd, 2**26 - 4096)\n"
        "    for i in range(0, len(m), 4096): m[i] = 1\n    os.ftruncate(fd, 2**40)"
    ),
    "every private place is filled": (
        "import os\ndef double(x):\n    for place in ('/tmp', '/dev/shm', os.path.expanduser('~')):\n"
        "        for n in range(20_000):\n            try:\n                with open(f'{place}/{n}', 'wb') as file: file.write(b'x' * 10**7)\n"
        "            except OSError: break\n    raise MemoryError"
    ),
    "anonymous shared memory": (
        "import mmap\ndef double(x):\n    keep = []\n    while True:\n"
        "        m = mmap.mmap(-1, 2**24); m.write(b'x' * 2**24); keep.append(m)"
    ),
    "stacks of deep recursion": "import sys\ndef double(x):\n    sys.setrecursionlimit(10**9)\n    f = lambda n: f(n + 1)\n    f(0)",
    "descriptors are leaked": "import os\ndef double(x):\n    while True: os.open('/dev/null', 0)",
    "pipes are filled": (
        "import os, fcntl\ndef double(x):\n    while True:\n        r, w = os.pipe()\n"
        "        fcntl.fcntl(w, 1031, 2**20); os.set_blocking(w, False); os.write(w, b'x' * 2**20)"
    ),
    "sockets on loopback are filled": (
        "import socket\ndef double(x):\n    s = socket.create_server(('127.0.0.1', 0)); keep = []\n"
        "    while True:\n        c = socket.create_connection(s.getsockname()); a, _ = s.accept()\n"
        "        c.setblocking(False)\n        try:\n            while True: c.send(b'x' * 2**16)\n"
        "        except BlockingIOError: pass\n        keep += [c, a]"
    ),
    "output floods both streams": (
        "import os\ndef double(x):\n    while True: os.write(1, b'x' * 65536); os.write(2, b'y' * 65536)"
    ),
    "an alarm goes off in the notebook's process": (
        "import signal, os\nsignal.signal(signal.SIGALRM, lambda *a: os._exit(1))\nsignal.setitimer(signal.ITIMER_REAL, 0.3, 0.3)\n"
        "def double(x):\n    __import__('time').sleep(1)"
    ),
    "the notebook's own forking is broken by patches": (
        "import os, select, socket, time\n"
        "for module, names in ((os, ('fork', '_exit', 'dup2', 'waitpid', 'listdir', 'open', 'close')), (time, ('monotonic', 'sleep'))):\n"
        "    for name in names: setattr(module, name, None)\n"
        "select.poll = socket.socket.send = None\n"
    ),
    "a subreaper hides orphans": LIBC
    + (
        "def double(x):\n    libc.prctl(36, 1)\n    if os.fork() == 0:\n        os.fork(); time.sleep(99)\n    return x"
    ),
    "a sibling is made with CLONE_PARENT": LIBC
    + (
        "def double(x):\n    for _ in range(3):\n        if libc.syscall(56, 0x8000 | 17, 0, 0, 0, 0) == 0:\n"
        "            while True: time.sleep(1)\n    return x"
    ),
    "the relay to init is flooded": (
        "import os, socket, stat\n"
        "def double(x):\n    return x\n"
        "for fd in range(3, 256):\n    try:\n        os.set_blocking(fd, False)\n"
        "        for n in range(3000): os.write(fd, b'%d %d' % (n, os.getpid()))\n    except OSError: pass"
    ),
}


@pytest.mark.parametrize("technique", ATTACKS)
def test_an_attack_harms_nobody_else(desk: Desk, technique: str) -> None:
    report = desk.grade(double=ATTACKS[technique])
    found = verdicts(report)
    assert Verdict.INTERNAL_ERROR not in found.values()
    assert found["doubles"] != Verdict.PASSED
    assert found["totals"] == found["totals_hidden"] == Verdict.PASSED, report.results
    assert report.score == 3
    assert desk.grade().score == 10


@pytest.mark.parametrize(
    ("technique", "verdict"),
    [
        ("anonymous shared memory", Verdict.OUT_OF_MEMORY),
        ("memory is held by threads whose process looks dead", Verdict.OUT_OF_MEMORY),
        ("output floods both streams", Verdict.OUTPUT_LIMIT),
    ],
)
def test_a_limit_that_was_met_is_named(desk: Desk, technique: str, verdict: Verdict) -> None:
    assert result(desk.grade(double=ATTACKS[technique]), "doubles").verdict == verdict


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
    zygote = desk.sandbox._zygotes["numpy"].process.pid
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
