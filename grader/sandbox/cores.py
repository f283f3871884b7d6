"""Processors for jails, agreed on between all workers of a host without a file.

A jail's student runs on one core, so that sixty busy processes slow down nobody else's grading. Where
cores stand idle it gets a second one, for the check that is asked beside the first. Which cores are taken
is noted by binding abstract sockets of their numbers: the kernel forgets them with their owner. When all
cores are taken they are shared.
"""

import contextlib
import os
import random
import socket
from dataclasses import dataclass, field

SPARE = 1  # cores that stay free when a jail asks for more than one: the next jail's first


@dataclass(slots=True)
class Cores:
    """Processors' numbers, ours until they are given back."""

    numbers: list[int]
    _notes: list[socket.socket] = field(default_factory=list)

    def give_back(self) -> None:
        for note in self._notes:
            note.close()
        self._notes.clear()


def take_cores(wanted: int, host: list[int] | None = None) -> Cores:
    """One processor that no other jail of this host runs on, and up to `wanted` while enough are free.

    Args:
        wanted: how many can be used.
        host: the processors there are; by default those that this process may run on.
    """
    cores = sorted(os.sched_getaffinity(0)) if host is None else list(host)
    random.shuffle(cores)
    taken: dict[int, socket.socket] = {}
    for number in cores:
        note = _noted(number)
        if note is not None:
            taken[number] = note
        if len(taken) == wanted + SPARE:
            break
    numbers = list(taken)
    kept = numbers[: max(1, len(numbers) - SPARE)]
    for number in numbers[len(kept) :]:
        taken.pop(number).close()
    return Cores(kept or cores[:1], list(taken.values()))


def _noted(number: int) -> socket.socket | None:
    """A note that a core is taken, or None when somebody else has taken it."""
    note = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with contextlib.suppress(OSError):
        note.bind(f"\0gradus/core/{number}")
        return note
    note.close()
    return None
