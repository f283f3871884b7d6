"""One processor for each jail, agreed on between all workers of a host without a file.

A jail's student runs on one core only, so that sixty busy processes slow down nobody else's grading.
Which core is taken is noted by binding an abstract socket of its number: the kernel forgets it with its
owner. When all cores are taken they are shared.
"""

import contextlib
import os
import random
import socket


class Core:
    """A processor's number, ours until it is given back."""

    def __init__(self, number: int, note: socket.socket | None) -> None:
        self.number = number
        self._note = note

    def give_back(self) -> None:
        if self._note is not None:
            self._note.close()
            self._note = None


def take_core() -> Core:
    """A processor that no other jail of this host runs on, or any when there is none."""
    cores = sorted(os.sched_getaffinity(0))
    random.shuffle(cores)
    for number in cores:
        note = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            note.bind(f"\0gradus/core/{number}")
            return Core(number, note)
        note.close()
    return Core(cores[0], None)
