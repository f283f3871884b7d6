"""A process behind a wall and all that came of it, seen from wherever the worker stands.

A zygote hands out a *pidfd* of each builder. The kernel tells through it which pid that
is in our own namespace, whatever wall lies between; then the worker sums the memory itself. A worker in
a container of its own sees no such pid; then the wall's gate, on the other side, looks for it.
"""

import contextlib
import json
import os
import signal
import socket
import struct
import threading
from collections.abc import Callable
from typing import Protocol

from grader.inside import gate, memory

ANSWER_SECONDS = 5.0


class Family(Protocol):
    """The head is a jail's builder; its descendants are what counts as memory."""

    pid: int  # of the head as we see it; 0: we do not

    def memory_bytes(self) -> int:
        """RssAnon and RssShmem of the descendants; a page that forks share counts for each of them."""
        ...

    def share_bytes(self, enough: int) -> int | None:
        """The same with shared pages counted once, up to `enough`; None where the kernel does not tell."""
        ...

    def processes(self) -> list[int]:
        """The head and its descendants; of those that cannot be seen only the number is true."""
        ...

    def is_restless(self) -> bool:
        """Whether more runs than was asked for, or one is stopped."""
        ...

    def end(self) -> None:
        """Kill the head; its descendants die with it."""
        ...

    def close(self) -> None:
        """Look no more; the head is not killed by this, where it can be seen."""
        ...


Adopt = Callable[[int], Family]  # of a pidfd, which then belongs to the family


class VisibleFamily:
    """One whose processes our /proc shows."""

    def __init__(self, pidfd: int, pid: int) -> None:
        self.pid = pid
        self._pidfd = pidfd
        self._lock = threading.Lock()

    def memory_bytes(self) -> int:
        return memory.jail_memory_bytes(self.pid)

    def share_bytes(self, enough: int) -> int | None:
        return memory.jail_share_bytes(self.pid, enough)

    def processes(self) -> list[int]:
        return memory.descendants(self.pid)

    def is_restless(self) -> bool:
        return memory.is_restless(memory.descendants(self.pid))

    def end(self) -> None:
        with self._lock, contextlib.suppress(OSError):  # it has ended already
            if self._pidfd >= 0:
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def close(self) -> None:
        with self._lock:
            if self._pidfd >= 0:
                os.close(self._pidfd)
            self._pidfd = -1


class RemoteFamily:
    """One that only the gate sees: asked over a connection of its own, and ended when that closes."""

    pid = 0

    def __init__(self, pidfd: int, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        connection.settimeout(ANSWER_SECONDS)
        try:
            socket.send_fds(connection, [json.dumps({"op": "watch"}).encode()], [pidfd])
        finally:
            os.close(pidfd)

    def _ask(self, question: bytes, enough: int = 0) -> tuple[int, int, bool]:
        """Nothing at all when the gate is gone: then the jail is, too."""
        try:
            with self._lock:
                self._connection.send(gate.QUESTION.pack(question, enough))
                return gate.SIGHT.unpack(self._connection.recv(gate.SIGHT.size))
        except (OSError, struct.error):
            return 0, 0, False

    def memory_bytes(self) -> int:
        return self._ask(gate.LOOK)[0]

    def share_bytes(self, enough: int) -> int | None:
        shared = self._ask(gate.SHARE, enough)[0]
        return None if shared < 0 else shared

    def processes(self) -> list[int]:
        return [0] * self._ask(gate.LOOK)[1]

    def is_restless(self) -> bool:
        return self._ask(gate.LOOK)[2]

    def end(self) -> None:
        with self._lock, contextlib.suppress(OSError):
            self._connection.send(gate.QUESTION.pack(gate.END, 0))

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def visible(pidfd: int) -> Family:
    """The family of a process that this host's /proc must show."""
    return VisibleFamily(pidfd, gate.head_of(pidfd))
