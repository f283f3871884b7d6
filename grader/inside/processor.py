"""How much processor time a question's processes have used, counted by the jail's init.

Theory of operation. The kernel limits the processor time of each process by itself, so a check that forks
ten busy children would have ten times its limit. Init sees every process of its jail, wherever the worker
stands, and sums what all of them have used since the question began. It looks only when the limit can have
been met: on two cores 60 s of processor time take 30 s of the clock, so most questions are never looked at.

Counted is the whole jail: where two checks run beside each other each is charged for both, and the worker
asks one that is over its limit again alone. What escapes: children that are never waited for (SIGCHLD
ignored) and end between two looks. The clock and the jail's cores bound those.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

MOST_SECONDS = 3600  # that the kernel lets any one process have
TICKS = os.sysconf("SC_CLK_TCK")
PF_EXITING = 4
SHORTEST_SECONDS = 0.02  # between two looks
LONGEST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process as /proc shows it."""

    parent: int
    alive: bool
    ticks: int  # its own and those of its children that it has waited for


def read_process(pid: int) -> Process | None:
    """One process; None when it is gone. Read as bytes: a process chooses its own name."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        try:
            fields = os.read(descriptor, 4096).rpartition(b")")[2].split()
        finally:
            os.close(descriptor)
    except OSError:
        return None
    # One that has begun to end runs nothing more. A process whose first thread has ended looks dead while
    # its other threads live on.
    ended = fields[0] in b"ZX" or int(fields[6]) & PF_EXITING
    alive = not ended or int(fields[17]) > 1
    return Process(int(fields[1]), alive, sum(map(int, fields[11:15])))


def used_seconds(processes: Iterable[Process]) -> float:
    """What these processes have used, with what the caller has waited for."""
    own = os.times()
    reaped = own.children_user + own.children_system
    return reaped + sum(process.ticks for process in processes) / TICKS


@dataclass(slots=True)
class Account:
    """One question's limit."""

    began: float  # what had been used
    seconds: float
    look_at: float  # monotonic; before it the limit cannot have been met


class Meter:
    """Accounts by number; each is told once when it is over its limit."""

    def __init__(self) -> None:
        self._accounts: dict[int, Account] = {}

    def open(self, number: int, seconds: float, used: float, cores: int) -> None:
        """Count for a question from now on."""
        look_at = time.monotonic() + seconds / cores
        self._accounts[number] = Account(used, seconds, look_at)

    def keep(self, numbers: list[int]) -> None:
        """Close all accounts but these."""
        self._accounts = {n: a for n, a in self._accounts.items() if n in numbers}

    def pause_seconds(self) -> float:
        """How long nobody needs to look."""
        due = min((account.look_at for account in self._accounts.values()), default=float("inf"))
        return min(max(0.0, due - time.monotonic()), LONGEST_SECONDS)

    def due(self) -> bool:
        return any(a.look_at <= time.monotonic() for a in self._accounts.values())

    def over(self, used: float, cores: int) -> list[int]:
        """Accounts over their limit, which are closed; the others are looked at when they can be."""
        found = []
        for number, account in list(self._accounts.items()):
            left = account.seconds - (used - account.began)
            if left <= 0:
                found.append(number)
                del self._accounts[number]
            else:
                account.look_at = time.monotonic() + max(left / cores, SHORTEST_SECONDS)
        return found
