"""Sentences of the design about zygotes, jails, memory and forks that no other test would miss.

docs/threat-model.md lists every sentence with the test that shows it.
"""

import os
import re
from pathlib import Path

import pytest

from grader.protocol import Limits
from grader.sandbox.base import Sandbox
from grader.sandbox.memory import descendants
from tests.grader.grading_desk import Desk


def test_a_zygote_runs_under_the_thread_limit_from_its_first_instruction(desk: Desk) -> None:
    """Set later it would cure nothing; a jail's init shows what the zygote was exec'd with."""
    jail = desk.sandbox.open_jail("numpy", Limits())
    try:
        init = descendants(jail.builder_pid)[1]
        environ = Path(f"/proc/{init}/environ").read_bytes().split(b"\0")
        assert b"OMP_THREAD_LIMIT=1" in environ
        assert b"PYTHONHASHSEED=0" in environ
        assert not [entry for entry in environ if entry.startswith((b"GRADUS", b"PATH"))]
    except PermissionError:
        pytest.skip("an ordinary user may not read it, which is stronger still")
    finally:
        jail.close()


def test_root_maps_two_ids_and_an_ordinary_user_its_own(sandbox: Sandbox) -> None:
    jail = sandbox.open_jail("numpy", Limits())
    try:
        init = descendants(jail.builder_pid)[1]
        lines = [line.split() for line in Path(f"/proc/{init}/uid_map").read_text().splitlines()]
    finally:
        jail.close()
    if os.geteuid() == 0 and sandbox.wall == "local":
        assert lines[0] == ["0", "0", "1"]
        assert lines[1][0] == "1000"
        assert int(lines[1][1]) >= 100_000
        assert len(lines) == 2
    else:
        assert [(line[0], line[2]) for line in lines] == [("1000", "1")]


def test_the_number_of_processes_is_really_limited(desk: Desk) -> None:
    """RLIMIT_NPROC does not hold for host uid 0, whatever it is called inside."""
    told = desk.seen(
        """
import os, time
made = 0
try:
    while made < 500:
        if os.fork() == 0:
            time.sleep(60)
        made += 1
except BlockingIOError:
    print("made", made)
"""
    )
    assert 1 <= int(told.split("made ")[1]) <= desk.lab.limits.processes


def test_address_space_is_limited_from_what_the_zygote_has(desk: Desk) -> None:
    told = desk.seen_in_cell(
        "import resource\n"
        "size = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "print(resource.getrlimit(resource.RLIMIT_AS)[0] - size)"
    )
    room = int(told)
    limit = desk.lab.limits.memory_mib * 2**20
    assert limit // 2 < room <= limit


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the number is that of x86-64")
def test_clone3_does_not_exist_so_that_libraries_fall_back_to_clone(desk: Desk) -> None:
    told = desk.seen(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.syscall(435, ctypes.create_string_buffer(88), 88), ctypes.get_errno())"
    )
    assert told.split() == ["-1", "38"]


def test_a_thread_may_be_started_all_the_same(desk: Desk) -> None:
    told = desk.seen(
        "import threading\nt = threading.Thread(target=print, args=('ran',))\nt.start(); t.join()"
    )
    assert told.strip() == "ran"


def test_an_environment_without_a_package_forbids_it(desk: Desk) -> None:
    told = desk.seen("try:\n    import torch\nexcept ImportError:\n    print('absent')")
    assert told.strip() == "absent"


@pytest.mark.parametrize(
    "cell",
    [
        "from concurrent.futures import ProcessPoolExecutor\nimport multiprocessing as mp\n"
        "pool = ProcessPoolExecutor(2, mp.get_context('fork'))\nassert list(pool.map(abs, [-1])) == [1]",
        "import threading\nlock = threading.Lock()\nlock.acquire()\n"
        "threading.Thread(target=lock.acquire, daemon=True).start()",
    ],
    ids=["process pool", "lock held"],
)
def test_what_a_fork_would_not_survive_is_run_again_for_each_check(desk: Desk, cell: str) -> None:
    report = desk.grade(double=f"{cell}\ndef double(x):\n    return 2 * x")
    assert report.score == 10, [found.message for found in report.results]


def test_limits_on_the_clock_are_a_notebooks_and_a_checks_own(desk: Desk) -> None:
    """The notebook may take 3 s, a check 1.5 s."""
    slow_cell = desk.grade(double="import time\ntime.sleep(1.8)\ndef double(x):\n    return 2 * x")
    assert slow_cell.score == 10
    slow_check = desk.grade(double="import time\ndef double(x):\n    time.sleep(1.8)\n    return x")
    assert slow_check.score == 3
    assert re.search(r"longer than the 1\.5 s", slow_check.results[0].message)
