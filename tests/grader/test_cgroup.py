"""Control groups: the kernel's own files where they are, and version 2's rules on a tree of files."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.protocol import Limits, Verdict
from grader.sandbox.cgroup import OVERHEAD_BYTES, Absent, Group, Groups, Place, find_place
from grader.sandbox.jail import Jail
from grader.sandbox.local import LocalSandbox
from grader.sandbox.memory import descendants
from tests.grader.grading_desk import Desk, result

MIB = 2**20
V2 = "35 24 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "31 25 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
)


def host_with(tmp_path: Path, *, mounts: str, groups: str) -> Path:
    """A tree with what /proc/self tells; hierarchies are made below it."""
    proc = tmp_path / "proc" / "self"
    proc.mkdir(parents=True)
    (proc / "mountinfo").write_text(mounts)
    (proc / "cgroup").write_text(groups)
    return tmp_path


def group_of_version_2(path: Path, controllers: str, enabled: str = "") -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "cgroup.controllers").write_text(controllers)
    (path / "cgroup.subtree_control").write_text(enabled)
    (path / "cgroup.procs").write_text("")
    return path


def test_a_delegated_group_of_version_2_is_used(tmp_path: Path) -> None:
    host = host_with(tmp_path, mounts=V2, groups="0::/user.slice/worker.service\n")
    own = group_of_version_2(
        host / "sys/fs/cgroup/user.slice/worker.service", "memory pids", "memory pids"
    )
    group_of_version_2(own / "gradus", "memory pids", "memory pids")
    assert find_place(host, root=False) == Place(2, own / "gradus", own / "gradus")


def test_controllers_are_handed_down_to_our_groups(tmp_path: Path) -> None:
    host = host_with(tmp_path, mounts=V2, groups="0::/worker.service\n")
    own = group_of_version_2(host / "sys/fs/cgroup/worker.service", "cpu memory pids")
    group_of_version_2(own / "gradus", "memory pids")
    assert isinstance(find_place(host, root=False), Place)
    assert (own / "cgroup.subtree_control").read_text() == "+memory +pids"
    assert (own / "gradus/cgroup.subtree_control").read_text() == "+memory +pids"


def test_without_delegation_there_are_none_and_it_says_why(tmp_path: Path) -> None:
    host = host_with(tmp_path, mounts=V2, groups="0::/user.slice/session-1.scope\n")
    group_of_version_2(host / "sys/fs/cgroup/user.slice/session-1.scope", "cpu pids")
    found = find_place(host, root=False)
    assert isinstance(found, Absent)
    assert "memory is not delegated" in found.reason
    groups = Groups(host, root=False)
    assert groups.take(64 * MIB, 8) is None
    assert groups.place == found


def test_root_uses_the_top_where_its_own_group_is_not_delegated(tmp_path: Path) -> None:
    host = host_with(tmp_path, mounts=V2, groups="0::/user.slice/session-1.scope\n")
    group_of_version_2(host / "sys/fs/cgroup/user.slice/session-1.scope", "cpu pids")
    top = group_of_version_2(host / "sys/fs/cgroup", "memory pids", "memory pids")
    group_of_version_2(top / "gradus", "memory pids", "memory pids")
    assert find_place(host, root=True) == Place(2, top / "gradus", top / "gradus")


def test_a_host_without_control_groups_says_so(tmp_path: Path) -> None:
    host = host_with(tmp_path, mounts="", groups="")
    assert find_place(host) == Absent("no hierarchy of control groups is mounted")
    assert isinstance(find_place(tmp_path / "nowhere"), Absent)


def test_a_hierarchy_mounted_from_within_a_container_is_found(tmp_path: Path) -> None:
    """The mount's root is the container's group, and so is the path in /proc/self/cgroup."""
    mounts = V2.replace(" / /sys", " /docker/abc /sys")
    host = host_with(tmp_path, mounts=mounts, groups="0::/docker/abc\n")
    top = group_of_version_2(host / "sys/fs/cgroup", "memory pids", "memory pids")
    group_of_version_2(top / "gradus", "memory pids", "memory pids")
    assert find_place(host, root=False) == Place(2, top / "gradus", top / "gradus")


def test_limits_of_version_2_leave_no_swap(tmp_path: Path) -> None:
    group = Group(Place(2, tmp_path, tmp_path), "1-1")
    for name in ("memory.max", "memory.swap.max", "pids.max", "cgroup.procs"):
        (tmp_path / "1-1" / name).write_text("max")
    group.limit(100 * MIB, 16)
    assert (tmp_path / "1-1/memory.max").read_text() == str(100 * MIB + OVERHEAD_BYTES)
    assert (tmp_path / "1-1/memory.swap.max").read_text() == "0"
    assert int((tmp_path / "1-1/pids.max").read_text()) in range(17, 33)
    group.enter([4711])
    assert (tmp_path / "1-1/cgroup.procs").read_text() == "4711"


@pytest.mark.parametrize(
    ("version", "name", "text"),
    [
        (2, "memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 3\noom_group_kill 0\n"),
        (1, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"),
    ],
)
def test_the_kernels_own_count_is_read(tmp_path: Path, version: int, name: str, text: str) -> None:
    group = Group(Place(version, tmp_path, None), "1-1")
    assert group.oom_kills() == 0
    (tmp_path / "1-1" / name).write_text(text)
    assert group.oom_kills() == 3


# --- the kernel's own -------------------------------------------------------------------------------


@pytest.fixture
def real() -> Iterator[Groups]:
    groups = Groups()
    if isinstance(place := groups.place, Absent):
        pytest.skip(f"no control group can be made here: {place.reason}")
    yield groups
    groups.close()


BALLOON = "import sys\nsys.stdin.readline()\nkeep = bytearray(b'x') * (int(sys.argv[1]) * 2**20)\nprint('fitted')"


def inflated(group: Group, mib: int) -> subprocess.CompletedProcess[str]:
    """A process that is put into the group and then takes that much memory."""
    with subprocess.Popen(
        [sys.executable, "-S", "-c", BALLOON, str(mib)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        group.enter([process.pid])
        told, _ = process.communicate("go\n")
        return subprocess.CompletedProcess([], process.returncode, told)


def test_what_is_over_the_limit_is_killed_and_counted(real: Groups) -> None:
    group = real.take(64 * MIB, 32)
    assert group is not None
    before = group.oom_kills()
    assert inflated(group, 30).stdout == "fitted\n"
    assert group.oom_kills() == before
    assert inflated(group, 300).returncode == -9
    assert group.oom_kills() == before + 1
    real.give_back(group)


def test_a_group_is_used_again_with_the_limits_of_its_next_jail(real: Groups) -> None:
    first = real.take(64 * MIB, 32)
    assert first is not None
    real.give_back(first)
    second = real.take(400 * MIB, 32)
    assert second is first
    assert inflated(second, 300).stdout == "fitted\n"
    real.give_back(second)
    third = real.take(64 * MIB, 32)
    assert third is first
    assert inflated(third, 300).returncode == -9
    real.give_back(third)


def test_a_group_in_which_something_still_lives_is_not_handed_out(real: Groups) -> None:
    group = real.take(64 * MIB, 32)
    assert group is not None
    with subprocess.Popen(["sleep", "60"]) as process:
        group.enter([process.pid])
        real.give_back(group)
        other = real.take(64 * MIB, 32)
        assert other is not None
        assert other is not group
        process.kill()
    real.give_back(other)


def test_processes_are_counted_where_the_controller_is_there(real: Groups) -> None:
    place = real.place
    if isinstance(place, Place) and place.pids is None:
        pytest.skip("the controller pids is not there")
    group = real.take(64 * MIB, 4)
    assert group is not None
    code = "import sys, os, time\nsys.stdin.readline()\nmade = 0\ntry:\n    while True:\n        if os.fork() == 0:\n            time.sleep(60)\n        made += 1\nexcept OSError:\n    print(made)\nos.kill(0, 9)"
    with subprocess.Popen(
        [sys.executable, "-S", "-u", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        group.enter([process.pid])
        told, _ = process.communicate("go\n")
    assert 4 <= int(told) <= 12
    real.give_back(group)


def test_nothing_is_left_of_groups_that_were_closed_or_abandoned(real: Groups) -> None:
    group = real.take(64 * MIB, 32)
    assert group is not None
    place = real.place
    assert isinstance(place, Place)
    real.give_back(group)
    abandoned = place.memory / "999999999-1"
    abandoned.mkdir()
    real.close()
    assert Groups().place == place
    assert not abandoned.exists()
    assert not group._memory.exists()


# --- jails in groups --------------------------------------------------------------------------------

SPREAD = (
    "import os, time\ndef double(x):\n    for _ in range(5):\n        if not os.fork():\n"
    "            keep = bytearray(b'x') * (60 * 2**20)\n            time.sleep(60)\n"
    "    os.wait()\n    return 2 * x"  # back when the first of them is killed
)


@pytest.fixture
def unwatched(real: Groups, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Jails whose memory the watchdog does not see: what ends them is the kernel's limit alone."""
    monkeypatch.setattr(Jail, "memory_bytes", lambda jail: 0)
    sandbox = LocalSandbox(("numpy",))
    yield Desk(sandbox)
    sandbox.close()


def test_memory_spread_over_processes_is_the_kernels_verdict_where_it_has_one(
    unwatched: Desk,
) -> None:
    lab = unwatched.lab
    tight = lab.limits.model_copy(
        update={"memory_mib": 128, "tmp_mib": 4, "check_wall_seconds": 20.0}
    )
    report = Desk(unwatched.sandbox, replace(lab, limits=tight)).grade(double=SPREAD)
    assert result(report, "doubles").verdict == Verdict.OUT_OF_MEMORY, result(report, "doubles")
    assert "128 MiB" in result(report, "doubles").message
    assert report.score == 3


def test_a_cell_whose_process_the_kernel_ends_is_out_of_memory(unwatched: Desk) -> None:
    cell = (
        "import mmap\nkeep = []\nwhile True:\n    m = mmap.mmap(-1, 2**22); m.write(b'x' * 2**22)\n"
        "    keep.append(m)\n"
    )
    spread = "import os\nfor _ in range(8):\n    if os.fork() == 0:\n" + "".join(
        f"        {line}\n" for line in cell.splitlines()
    )
    report = unwatched.grade(double=f"{spread}\nimport time; time.sleep(9)")
    ended = next(cell for cell in report.cells if cell.cell == "double")
    assert ended.exception is not None
    assert ended.exception.type == "out_of_memory"
    assert report.score == 3


def test_files_in_private_places_do_not_count_as_memory(unwatched: Desk) -> None:
    """As without a group: a verdict does not depend on what the host can do."""
    cell = (
        "for place in ('/tmp', '/dev/shm'):\n    open(f'{place}/x', 'wb').write(b'x' * (60 * 2**20))\n"
        "big = np.ones(25 * 2**20)\ndef double(x):\n    return 2 * x"
    )
    assert unwatched.grade(double=cell).score == 10


def test_a_killed_process_is_out_of_memory_only_where_the_kernel_says_so(unwatched: Desk) -> None:
    killed = unwatched.grade(double="import os\ndef double(x):\n    os.kill(os.getpid(), 9)")
    assert result(killed, "doubles").verdict == Verdict.ERROR
    liar = "def double(x):\n    class MemoryErrorr(Exception): pass\n    raise MemoryErrorr"
    assert result(unwatched.grade(double=liar), "doubles").verdict == Verdict.ERROR


def test_all_of_a_jail_is_in_its_group_and_leaves_it_with_the_jail(real: Groups) -> None:
    from grader.sandbox.cgroup import groups

    sandbox = LocalSandbox(("numpy",))
    try:
        place = groups.place
        assert isinstance(place, Place)
        jail = sandbox.open_jail("numpy", Limits())
        assert jail._group is not None
        inside = (jail._group._memory / "cgroup.procs").read_text().split()
        assert set(map(str, descendants(jail.builder_pid))) == set(inside)
        group = jail._group
        jail.close()
        deadline = time.monotonic() + 5
        while not group.is_empty() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert group.is_empty()
        made = groups._made
        for _ in range(10):
            sandbox.open_jail("numpy", Limits()).close()
        assert groups._made <= made + 2, "they are used again"
    finally:
        sandbox.close()
