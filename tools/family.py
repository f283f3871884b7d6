"""A process and everything it ever started, so that all of it can be ended.

Process groups are not enough: the worker's zygotes and jails open sessions of their own. Linux can make a process the
*subreaper* of its descendants: an orphan below it becomes its child instead of init's, so walking
parent links from the subreaper always finds everyone. Elsewhere we have process groups only.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, value: int) -> None:
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")


def adopt_orphans() -> None:
    """Make this process the subreaper of all that it starts from now on (Linux; nothing elsewhere)."""
    if LINUX:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(signal_number: signal.Signals) -> None:
    """Be sent this signal when the parent dies (Linux; nothing elsewhere)."""
    if LINUX:
        _prctl(_PR_SET_PDEATHSIG, signal_number)


def _parents() -> dict[int, int]:
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                # The command's name stands in brackets and may hold spaces and brackets itself.
                fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
                parents[int(folder.name)] = int(fields[1])
    return parents


def descendants(ancestor: int) -> set[int]:
    """Process ids below this one, zombies included (Linux; empty elsewhere)."""
    if not LINUX:
        return set()
    children: dict[int, list[int]] = {}
    for pid, parent in _parents().items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    queue = [ancestor]
    while queue:
        for child in children.get(queue.pop(), []):
            if child not in found:
                found.add(child)
                queue.append(child)
    return found


def reap() -> dict[int, int]:
    """Collect every child that has ended: process id to wait status."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status


def kill_descendants(seconds: float = 5.0) -> set[int]:
    """Kill all below this process, again and again until nobody is left; returns who would not die."""
    deadline = time.monotonic() + seconds
    while True:
        for pid in descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        reap()
        left = descendants(os.getpid())
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.01)
