"""A control group for each jail, where one can be made: the kernel itself then holds the memory limit.

Theory of operation. The watchdog looks every 50 ms, and much can be allocated meanwhile; a control group
stops the very page that is too much, kills the largest process of that jail, and counts that it did, which
is what makes "out of memory" a verdict and no guess. Making a group anew costs milliseconds, so a slot
keeps the few that its jails use and hands the next jail one that has become empty.

    <delegated>/gradus/<pid of the worker's process>-<number>

`<delegated>` is the worker's own group, or for root the top of the hierarchy. Version 1 has a hierarchy for
each controller (`memory` is needed, `pids` is used where it is there). Version 2 has one hierarchy, in which
a group that holds processes may not have children with controllers; so a worker started by systemd with
`Delegate=yes` moves what runs in its group into a leaf beside ours. Where nothing is delegated, which is
usual for ordinary users, there are no groups, and the watchdog and the limits of each process remain.

Kernel documentation: admin-guide/cgroup-v1/memory.rst, admin-guide/cgroup-v2.rst.
"""

import atexit
import contextlib
import itertools
import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path

MIB = 2**20
OVERHEAD_BYTES = (
    16 * MIB
)  # page tables, stacks and buffers of the kernel count in a group, not elsewhere
MORE_PROCESSES = 8  # builder, init and the notebook, beside what the student may start
_numbers = itertools.count(1)  # of groups that this process has made
OURS, LEAF = "gradus", "gradus-rest"


@dataclass(frozen=True, slots=True)
class Place:
    """Where groups are made: one directory a controller; with version 2 all are the same one."""

    version: int
    memory: Path
    pids: Path | None


@dataclass(frozen=True, slots=True)
class Absent:
    """Why there are no groups, in words for an operator."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Mount:
    kind: str
    options: frozenset[str]
    root: str
    point: Path


def _mounts(host: Path) -> list[_Mount]:
    found = []
    for line in (host / "proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        fields, kinds = left.split(), right.split()
        if kinds and kinds[0].startswith("cgroup"):
            point = host / fields[4].encode().decode("unicode_escape").lstrip("/")
            found.append(_Mount(kinds[0], frozenset(kinds[2].split(",")), fields[3], point))
    return found


def _own_groups(host: Path) -> dict[str, str]:
    """The group that we are in by controller; the one of version 2 under the empty name."""
    groups = {}
    for line in (host / "proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            groups[name] = path
    return groups


def _directory(mount: _Mount, group: str) -> Path:
    """Where a group lies under its mount; the mount's top when it is not below it."""
    inner = os.path.relpath(group, mount.root)
    return mount.point if inner.startswith("..") else mount.point / inner


def find_place(host: Path = Path("/"), *, root: bool | None = None) -> Place | Absent:
    """Where groups can be made on this host; tries it by making one.

    Args:
        host: the root directory under which /proc and the hierarchies lie.
        root: whether the top of a hierarchy may be used as well; by default, whether we are root.
    """
    root = os.geteuid() == 0 if root is None else root
    try:
        mounts, groups = _mounts(host), _own_groups(host)
    except OSError as error:
        return Absent(f"/proc does not tell about control groups: {error.strerror}")
    memory = next((m for m in mounts if m.kind == "cgroup" and "memory" in m.options), None)
    if memory is not None:
        pids = next((m for m in mounts if m.kind == "cgroup" and "pids" in m.options), None)
        return _version_1(memory, pids, groups, root)
    unified = next((m for m in mounts if m.kind == "cgroup2"), None)
    if unified is not None:
        return _version_2(unified, groups.get("", "/"), root)
    return Absent("no hierarchy of control groups is mounted")


def _version_1(
    memory: _Mount, pids: _Mount | None, groups: dict[str, str], root: bool
) -> Place | Absent:
    place = _first_usable(_candidates(memory, groups.get("memory", "/"), root), "memory")
    if isinstance(place, Absent):
        return place
    counted = None
    if pids is not None:
        found = _first_usable(_candidates(pids, groups.get("pids", "/"), root), "pids")
        counted = found if isinstance(found, Path) else None
    return Place(1, place, counted)


def _version_2(unified: _Mount, group: str, root: bool) -> Place | Absent:
    reason = ""
    for candidate in _candidates(unified, group, root):
        told = _enable(candidate)
        if told:
            reason = reason or told
            continue
        found = _first_usable([candidate], "memory")
        if isinstance(found, Absent):
            reason = reason or found.reason
            continue
        told = _enable(found)
        if not told:
            return Place(2, found, found)
        reason = reason or told
    return Absent(reason)


def _candidates(mount: _Mount, group: str, root: bool) -> list[Path]:
    own = _directory(mount, group)
    return [own] if not root or own == mount.point else [own, mount.point]


def _first_usable(candidates: list[Path], controller: str) -> Path | Absent:
    """Our directory in the first of them in which a group with that controller can be made."""
    reason = ""
    for candidate in candidates:
        ours = candidate / OURS
        probe = ours / f"{os.getpid()}-probe"
        try:
            ours.mkdir(exist_ok=True)
            probe.mkdir(exist_ok=True)
            probe.rmdir()
        except OSError as error:
            told = error.strerror.lower() if error.strerror else str(error)
            reason = reason or f"{controller}: no group can be made in {candidate} ({told})"
            continue
        return ours
    return Absent(reason)


def _enable(directory: Path) -> str:
    """Let a group's children have the controllers (version 2); why not, in words, or nothing."""
    control = directory / "cgroup.subtree_control"
    try:
        there = (directory / "cgroup.controllers").read_text().split()
        if "memory" not in there:
            return f"the controller memory is not delegated to {directory}"
        missing = [name for name in ("memory", "pids") if name in there]
        missing = [name for name in missing if name not in control.read_text().split()]
        if not missing:
            return ""
        order = " ".join(f"+{name}" for name in missing)
        try:
            control.write_text(order)
        except OSError:  # processes are in the way, or it is not ours
            if not _is_delegated(directory):
                raise
            _move_into_leaf(directory)
            control.write_text(order)
    except OSError as error:
        return f"{directory} is not delegated to this worker ({error.strerror})"
    return ""


def _is_delegated(directory: Path) -> bool:
    """Whether systemd says so (Delegate=yes), or this is the top of a container's own hierarchy."""
    for name in ("user.delegate", "trusted.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(directory, name) == b"1":
                return True
    return not (directory.parent / "cgroup.procs").exists()


def _move_into_leaf(directory: Path) -> None:
    leaf = directory / LEAF
    leaf.mkdir(exist_ok=True)
    for _ in range(10):  # whoever forks meanwhile leaves a child behind
        pids = (directory / "cgroup.procs").read_text().split()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                (leaf / "cgroup.procs").write_text(pid)
        if not pids:
            return


class Group:
    """One jail's control group. Its limits are set anew for each jail that it is taken for."""

    def __init__(self, place: Place, name: str) -> None:
        self.version = place.version
        self._memory = place.memory / name
        self._pids = place.pids / name if place.pids is not None else None
        events = "memory.events" if self.version == 2 else "memory.oom_control"
        self._events = str(self._memory / events)  # read some forty times for each submission
        self._directories = [d for d in {self._memory, self._pids} if d is not None]
        for directory in self._directories:
            directory.mkdir(exist_ok=True)

    def limit(self, memory_bytes: int, processes: int | None = None) -> None:
        """What all processes in it may use together, swap included.

        Raises:
            OSError: the kernel refuses, or a file that is needed is not there.
        """
        amount = str(memory_bytes + OVERHEAD_BYTES)
        if self.version == 2:
            _write_if_there(self._memory / "memory.swap.max", "0")
            (self._memory / "memory.max").write_text(amount)
        else:  # memory with swap may never be below memory
            both, alone = "memory.memsw.limit_in_bytes", "memory.limit_in_bytes"
            _write_if_there(self._memory / both, "-1")
            (self._memory / alone).write_text(amount)
            _write_if_there(self._memory / both, amount)
        if processes is not None and self._pids is not None:
            _write_if_there(self._pids / "pids.max", str(processes + MORE_PROCESSES))

    def enter(self, pids: list[int]) -> None:
        """Put processes into it; what they start from now on is in it as well.

        Raises:
            OSError: we may not move them.
        """
        for directory in self._directories:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    (directory / "cgroup.procs").write_text(str(pid))

    def oom_kills(self) -> int:
        """How many processes the kernel has ever killed in it for want of memory."""
        try:
            descriptor = os.open(self._events, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return 0
        try:
            told = re.search(rb"^oom_kill (\d+)$", os.read(descriptor, 4096), re.M)
        finally:
            os.close(descriptor)
        return int(told[1]) if told else 0

    def is_empty(self) -> bool:
        return not any((d / "cgroup.procs").read_text().strip() for d in self._directories)

    def remove(self) -> bool:
        """Whether it is gone; a group in which something still dies stays."""
        for directory in self._directories:
            with contextlib.suppress(OSError):
                directory.rmdir()
        return not any(directory.exists() for directory in self._directories)


def _write_if_there(path: Path, text: str) -> None:
    """A file that some kernels do not have: without swap accounting, without the controller."""
    with contextlib.suppress(FileNotFoundError):
        path.write_text(text) if path.exists() else None


class Groups:
    """The groups of one process, reused from jail to jail; made on first use, again after a fork."""

    def __init__(self, host: Path = Path("/"), *, root: bool | None = None) -> None:
        self._host, self._root = host, root
        self._lock = threading.Lock()
        self._place: Place | Absent | None = None
        self._owner = 0
        self._free: list[Group] = []
        self._made = 0

    @property
    def place(self) -> Place | Absent:
        """Where they are made, or why there are none."""
        with self._lock:
            return self._find()

    def _find(self) -> Place | Absent:
        if self._place is None:
            self._place = find_place(self._host, root=self._root)
            if isinstance(self._place, Place):
                _remove_abandoned(self._place, self._host)
        if self._owner != os.getpid():  # those of the process that we were forked from are its own
            self._owner, self._free, self._made = os.getpid(), [], 0
        return self._place

    def take(self, memory_bytes: int, processes: int) -> Group | None:
        """An empty group with these limits; None where there are none."""
        with self._lock:
            place = self._find()
            if isinstance(place, Absent):
                return None
            try:
                group = self._empty_one() or self._another(place)
                group.limit(memory_bytes, processes)
            except OSError as error:
                self._place = Absent(f"a group could not be set up: {error}")
                return None
            return group

    def _empty_one(self) -> Group | None:
        for group in list(self._free):
            try:
                if not group.is_empty():
                    continue
            except OSError:  # somebody has removed it
                self._free.remove(group)
                continue
            self._free.remove(group)
            return group
        return None

    def _another(self, place: Place) -> Group:
        self._made += 1
        return Group(place, f"{self._owner}-{next(_numbers)}")

    def give_back(self, group: Group) -> None:
        """It is used again once its last process has died."""
        with self._lock:
            if self._owner == os.getpid():
                self._free.append(group)

    def close(self) -> None:
        """Remove those that are empty; the others are removed by whoever starts next."""
        with self._lock:
            if self._owner == os.getpid():
                self._free = [group for group in self._free if not group.remove()]


def _remove_abandoned(place: Place, host: Path) -> None:
    """Groups of workers that died: their jails died with them."""
    for directory in {place.memory, place.pids} - {None}:
        assert directory is not None
        with contextlib.suppress(OSError):
            for entry in list(directory.iterdir()):
                owner = entry.name.partition("-")[0]
                if owner.isdigit() and not (host / "proc" / owner).exists():
                    with contextlib.suppress(OSError):
                        entry.rmdir()


groups = Groups()
atexit.register(groups.close)
