"""The worker's end of one jail: orders over the wire, questions over fresh channels.

Theory of operation. The wire leads to the jail's trusted init. Every question (the notebook, each
check) gets a channel and two output pipes of its own, made here and passed in; so a process that an
earlier question left behind has nothing to write to. While an answer is awaited the pipes are drained
(what is over the cap is thrown away), the jail's memory is summed every 50 ms, and one absolute
deadline runs.
"""

import contextlib
import itertools
import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from grader.errors import Cancelled, WallError
from grader.inside import wire
from grader.protocol import Limits
from grader.sandbox.memory import jail_memory_bytes

MIB = 2**20
FLOOD_FACTOR = 64  # a check that prints this many times its cap is stopped at once
BUILD_SECONDS = 15.0


class MemoryExceeded(Exception):
    """The watchdog outside saw the jail use more memory than its limit."""


class OutputFlood(Exception):
    """Far more was printed than the cap allows."""


@dataclass(slots=True)
class Output:
    """What a question printed, up to the cap."""

    cap: int
    data: bytearray = field(default_factory=bytearray)
    total: int = 0

    def add(self, piece: bytes) -> None:
        self.total += len(piece)
        self.data += piece[: max(0, self.cap - len(self.data))]

    def text(self) -> str:
        note = "" if self.total <= self.cap else f"\n… cut at {self.cap // 1024} KiB\n"
        return (
            self.data.decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}") + note
        )


class Exchange:
    """One question: a channel for frames, pipes for what is printed, and a deadline for all of it."""

    def __init__(self, jail: "Jail", limits: Limits, seconds: float, number: int = 0) -> None:
        self.jail = jail
        self.number = number  # of the check, by which init can stop it
        self.limits = limits
        self.deadline = time.monotonic() + seconds
        self.output = Output(limits.output_kib * 1024)
        self.channel, self._their_channel = socket.socketpair()
        self.channel.setblocking(False)
        self._pipes: list[int] = []
        self._their_pipes: list[int] = []
        for _ in range(2):
            read, write = os.pipe()
            os.set_blocking(read, False)
            self._pipes.append(read)
            self._their_pipes.append(write)
        self._last_look = 0.0

    def theirs(self) -> list[int]:
        return [self._their_channel.fileno(), *self._their_pipes]

    def passed_on(self) -> None:
        """Close our copies of their ends, so that their death closes the channel."""
        self._their_channel.close()
        for descriptor in self._their_pipes:
            os.close(descriptor)
        self._their_pipes = []

    def say(self, value: Any) -> None:
        self.say_parts(wire.encode(value))

    def say_parts(self, parts: list[bytes | memoryview]) -> None:
        """Send a frame that is encoded already."""
        wire.send(self.channel, parts, self.deadline, self.watch)

    def hear(self) -> Any:
        """The next frame.

        Raises:
            WireTimeout, WireClosed, WireError, MemoryExceeded, OutputFlood, Cancelled
        """
        return wire.receive(self.channel, self.deadline, self.limits.answer_mib * MIB, self.watch)

    def watch(self) -> None:
        """Drain the pipes, look at the memory, hear init; called at least every 50 ms."""
        self.drain()
        if self.output.total > self.output.cap * FLOOD_FACTOR:
            raise OutputFlood
        self.jail.hear_init()
        now = time.monotonic()
        if now - self._last_look >= 0.045:
            self._last_look = now
            if self.jail.memory_bytes() > self.limits.memory_mib * MIB:
                raise MemoryExceeded
        if self.jail.cancelled():
            raise Cancelled

    def drain(self) -> None:
        for descriptor in self._pipes:
            for _ in range(64):  # bounded: a flood must not keep us from the clock
                try:
                    piece = os.read(descriptor, 65536)
                except BlockingIOError:
                    break
                if not piece:
                    break
                self.output.add(piece)

    def close(self) -> None:
        self.drain()
        self.channel.close()
        self._their_channel.close()
        for descriptor in (*self._pipes, *self._their_pipes):
            os.close(descriptor)
        self._pipes = self._their_pipes = []


class Jail:
    """One jail with its walls up. Closing it ends every process in it."""

    def __init__(self, wire_socket: socket.socket, builder_pid: int, limits: Limits) -> None:
        self.wire = wire_socket
        self.builder_pid = builder_pid
        self.limits = limits
        self.memory_limit = limits.memory_mib * MIB
        self.cancelled: Callable[[], bool] = lambda: False
        self.student_status: int | None = None
        self.student_ended = False
        self._lock = threading.Lock()  # checks are asked from several threads
        self._numbers = itertools.count(1)
        self._stopped: set[int] = set()
        self._baseline = 0
        self._order({"tmp_mib": limits.tmp_mib})
        event = self._event(time.monotonic() + BUILD_SECONDS)
        if event.get("event") != "ready":
            raise WallError(f"a jail could not be built: {event.get('error', event)}")
        self._baseline = jail_memory_bytes(builder_pid)

    def _order(self, order: dict[str, Any], descriptors: list[int] | None = None) -> None:
        try:
            socket.send_fds(self.wire, [json.dumps(order).encode()], descriptors or [])
        except OSError as error:
            reason = self.wire.recv(4096).decode("utf-8", "replace") or str(error)
            raise WallError(f"a jail's init is gone: {reason}") from error

    def _event(self, deadline: float) -> dict[str, Any]:
        poll = select.poll()
        poll.register(self.wire, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise WallError("a jail did not answer in time")
        data = self.wire.recv(4096)
        if not data:
            raise WallError("a jail's init ended; the worker's log has its reason")
        event: dict[str, Any] = json.loads(data)
        return event

    def hear_init(self) -> None:
        """Note what init has told: the end of the notebook's process, checks that it stopped."""
        with self._lock:
            if self.wire.fileno() < 0:
                return
            poll = select.poll()
            poll.register(self.wire, select.POLLIN)
            while poll.poll(0):
                try:
                    event = self._event(time.monotonic() + 1)
                except WallError:
                    self.student_ended = True
                    return
                if event.get("event") == "student_ended":
                    self.student_ended, self.student_status = True, int(event["status"])
                elif event.get("event") == "stopped":
                    self._stopped.add(int(event["number"]))

    def wait_for_end(self, seconds: float = 0.2) -> int | None:
        """After a channel closed: the status of the notebook's process if it has ended."""
        deadline = time.monotonic() + seconds
        while not self.student_ended and time.monotonic() < deadline:
            time.sleep(0.002)
            self.hear_init()
        return self.student_status

    def start_notebook(self) -> Exchange:
        """Fork the student's process; the exchange is for the notebook's cells."""
        limits = self.limits
        exchange = Exchange(self, limits, limits.notebook_wall_seconds)
        order = {
            "op": "notebook",
            "memory_bytes": limits.memory_mib * MIB,
            "cpu_seconds": limits.cpu_seconds,
            "processes": limits.processes,
            "file_mib": limits.tmp_mib,
        }
        self._order(order, exchange.theirs())
        exchange.passed_on()
        return exchange

    def start_check(self, limits: Limits) -> Exchange:
        """Fork the notebook's process for one check."""
        exchange = Exchange(self, limits, limits.check_wall_seconds, next(self._numbers))
        self._order({"op": "check", "number": exchange.number}, exchange.theirs())
        exchange.passed_on()
        return exchange

    def stop(self, number: int) -> None:
        """Kill one check with all that it started, and what no check owns."""
        self._order({"op": "stop", "number": number})
        deadline = time.monotonic() + 2
        while number not in self._stopped and not self.student_ended:
            if time.monotonic() > deadline:
                raise WallError("a jail's init did not stop a check in time")
            time.sleep(0.001)
            self.hear_init()

    def memory_bytes(self) -> int:
        """Private memory that the jail has taken since its walls stood."""
        return jail_memory_bytes(self.builder_pid) - self._baseline

    def close(self) -> None:
        """The wire closes, init ends, and the kernel ends every process of its namespace."""
        self.wire.close()

    def kill(self) -> None:
        """As close, when init itself may be starved by what runs beside it."""
        self.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.builder_pid, signal.SIGKILL)
