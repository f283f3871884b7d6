"""What many gradings in a row leave behind, and whether they all found the same."""

import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grader.errors import GraderError
from grader.inside.jail import FIRST_HOST_ID
from grader.runner import grade
from grader.sandbox import Sandbox, open_sandbox
from grader.sandbox.memory import descendants, private_bytes
from labs.catalog import Lab
from tests.bench.ours import essence, request_for, zygotes_of

MIB = 2**20
PLACES = ("/tmp", "/dev/shm", "/var/tmp", "/mnt")
WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Held:
    """What this process, its zygotes and its jails hold of the host at one moment."""

    processes: int
    threads: int
    descriptors: int
    mounts: int
    namespaces: int
    files: int
    worker_mib: float
    zygotes_mib: float


@dataclass(frozen=True, slots=True)
class Soak:
    """The outcome of many gradings of one submission."""

    gradings: int
    seconds: float
    internal_errors: int
    different_results: int
    before: Held
    after: Held

    @property
    def leaks(self) -> list[str]:
        """What there is more of than before: anything counted, or memory by more than 16 MiB."""
        before, after = asdict(self.before), asdict(self.after)
        return [
            name
            for name in before
            if after[name] > before[name] + (16 if name.endswith("_mib") else 0)
        ]

    @property
    def sound(self) -> bool:
        return not self.leaks and not self.internal_errors and self.different_results == 1

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"leaks": self.leaks, "sound": self.sound}


def held() -> Held:
    """Look, once everything that is dead has been reaped."""
    zygotes = zygotes_of(os.getpid())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(len(descendants(pid)) > 1 for pid in zygotes):
        time.sleep(0.02)
    family = descendants(os.getpid())
    return Held(
        processes=len(family),
        threads=threading.active_count(),
        descriptors=sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in family),
        mounts=sum(_mounts(pid) for pid in (os.getpid(), *zygotes)),
        namespaces=len(_namespaces(family)),
        files=sum(_is_a_jails(entry) for place in PLACES for entry in os.scandir(place)),
        worker_mib=round(private_bytes(os.getpid()) / MIB, 1),
        zygotes_mib=round(sum(map(private_bytes, zygotes)) / MIB, 1),
    )


def _mounts(pid: int) -> int:
    """Without those of containers that come and go on this host meanwhile; jails make no such ones."""
    lines = Path(f"/proc/{pid}/mountinfo").read_bytes().splitlines()
    return sum(b" - overlay " not in line and b" - nsfs " not in line for line in lines)


def _is_a_jails(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_uid >= FIRST_HOST_ID
    except OSError:
        return False


def _namespaces(family: list[int]) -> set[str]:
    found = set()
    for pid in family:
        for kind in ("net", "mnt", "pid", "user", "ipc"):
            try:
                found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
            except OSError:
                continue
    return found


def soak(
    lab: Lab,
    gradings: int,
    wall: str | None = None,
    tell: Callable[[int], None] = lambda done: None,
) -> Soak:
    """Grade one submission very often; the first few gradings warm up and are not counted."""
    sandbox: Sandbox = open_sandbox((lab.zygote,), wall)
    request = request_for(lab)
    seen: Counter[bytes] = Counter()
    errors = 0
    try:
        for _ in range(WARM_UP):
            grade(request, sandbox=sandbox, lab=lab)
        before, began = held(), time.perf_counter()
        for number in range(gradings):
            try:
                report = grade(request, sandbox=sandbox, lab=lab)
                seen[hashlib.sha256(essence(report)).digest()] += 1
            except GraderError as error:
                errors += 1
                print(f"internal error at grading {number}: {error}", flush=True)
            if (number + 1) % 500 == 0:
                tell(number + 1)
        seconds = time.perf_counter() - began
        return Soak(gradings, round(seconds, 1), errors, len(seen), before, held())
    finally:
        sandbox.close()


def table(done: Soak) -> list[str]:
    """The soak as lines for people."""
    before, after = asdict(done.before), asdict(done.after)
    lines = [f"{'':16}{'before':>10}{'after':>10}"]
    lines += [f"{name.replace('_', ' '):16}{before[name]:>10}{after[name]:>10}" for name in before]
    same = (
        "all alike" if done.different_results == 1 else f"{done.different_results} DIFFERENT ones"
    )
    return [
        *lines,
        f"{done.gradings} gradings in {done.seconds:.0f} s: {done.internal_errors} internal errors; "
        f"results: {same}; leaks: {', '.join(done.leaks) or 'none'}",
    ]
