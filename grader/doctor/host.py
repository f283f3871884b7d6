"""A host as the doctor sees it: files under a root directory, an environment, and one's own rights."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.doctor.report import Finding, Level

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Host:
    """Reads /proc and /sys; a file that is not there reads as nothing."""

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    euid: int = field(default_factory=os.geteuid)

    def read(self, path: str) -> str | None:
        """The stripped text of a file named without its leading slash; None when it cannot be read."""
        try:
            return (self.root / path).read_text(errors="replace").strip()
        except OSError:
            return None

    def number(self, path: str) -> int | None:
        text = self.read(path)
        try:
            return int(text) if text is not None else None
        except ValueError:
            return None

    @property
    def cores(self) -> int:
        return len(os.sched_getaffinity(0))

    @property
    def slots(self) -> int:
        """How many attempts the worker would grade at a time, as gpu_workers/settings.py decides it."""
        told = self.environment.get("GRADUS_WORKER_SLOTS", "")
        return int(told) if told.isdigit() and int(told) else min(4, os.cpu_count() or 1)

    def memory(self) -> dict[str, int]:
        """/proc/meminfo in bytes."""
        found = {}
        for line in (self.read("proc/meminfo") or "").splitlines():
            name, _, amount = line.partition(":")
            if amount.split() and amount.split()[0].isdigit():
                found[name] = int(amount.split()[0]) * 1024
        return found


def ok(group: str, name: str, text: str) -> Finding:
    return Finding(group=group, name=name, level=Level.OK, text=text)


def warning(group: str, name: str, text: str, remedy: str) -> Finding:
    return Finding(group=group, name=name, level=Level.WARNING, text=text, remedy=remedy)


def problem(group: str, name: str, text: str, remedy: str) -> Finding:
    return Finding(group=group, name=name, level=Level.PROBLEM, text=text, remedy=remedy)
