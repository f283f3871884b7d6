"""Control groups: the kernel's own files where they are, and version 2's rules on a tree of files."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.sandbox.cgroup import OVERHEAD_BYTES, Absent, Group, Groups, Place, find_place

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
    mine = [
        p for p in place.memory.iterdir() if p.name.startswith((f"{os.getpid()}-", "999999999"))
    ]
    assert mine == []
