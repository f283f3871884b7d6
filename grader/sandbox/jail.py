"""The worker's end of one jail: orders over the wire, questions over fresh channels.

Theory of operation. The wire leads to the jail's trusted init. Every question (the notebook, each
check) gets a channel and two output pipes of its own, made here and passed in; so a process that an
earlier question left behind has nothing to write to. While an answer is awaited the pipes are drained
(what is over the cap is thrown away) and one absolute deadline runs. The jail's memory is summed every
50 ms by the watchdog, also while nobody asks anything.

Whatever becomes of a jail once the student's code runs in it is the student's doing, even the end of
its init: it is a `WireClosed` like any other, and a verdict. It is our failure only when the zygote
behind it died.
"""

import contextlib
import itertools
import json
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from grader.errors import Cancelled, WallError
from grader.inside import wire
from grader.protocol import Limits
from grader.sandbox.cgroup import Group, Groups
from grader.sandbox.cores import take_cores
from grader.sandbox.family import Family
from grader.sandbox.watchdog import watchdog

MIB = 2**20
BOUNDLESS = 2**60  # bytes of address space
FLOOD_FACTOR = 64  # a check that prints this many times its cap is stopped at once
BUILD_SECONDS = 15.0
STOP_SECONDS = 2.0
SHARED_AT_MOST = 8  # times the limit, where what several processes share is counted for each
PRIVATE_PLACES = 3  # tmpfs of `tmp_mib` each; a control group counts what lies in them
CHECKS_AT_ONCE = 2  # how many checks of one notebook are ever asked beside each other


class MemoryExceeded(Exception):
    """The watchdog outside saw the jail use more memory than its limit."""


class CpuExceeded(wire.WireTimeout):
    """All processes of the question together used more processor time than its limit."""


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
        self.account = number  # by which init counts its processor time
        self.limits = limits
        self.deadline = time.monotonic() + seconds
        self.output = Output(limits.output_kib * 1024)
        self._oom_kills = jail.oom_kills()
        self.channel, self._their_channel = socket.socketpair()
        self.channel.setblocking(False)
        self._pipes: list[int] = []
        self._their_pipes: list[int] = []
        for _ in range(2):
            read, write = os.pipe()
            os.set_blocking(read, False)
            self._pipes.append(read)
            self._their_pipes.append(write)

    def begin(self, limits: Limits, seconds: float) -> None:
        """Go on with another question on the same channel, within limits of its own."""
        self.limits = limits
        self._oom_kills = self.jail.oom_kills()
        self.account = self.jail.count_anew(limits.check_cpu_seconds)
        self.deadline = time.monotonic() + seconds
        self.output = Output(limits.output_kib * 1024)

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
        """Send a frame that is encoded already, to somebody who has not answered it yet."""
        with contextlib.suppress(OSError):
            if self.channel.recv(1, socket.MSG_PEEK):
                raise wire.WireError("an answer came before its question, or twice")
        wire.send(self.channel, parts, self.deadline, self.watch)

    def hear(self) -> Any:
        """The next frame.

        Raises:
            WireTimeout, CpuExceeded, WireClosed, WireError, MemoryExceeded, OutputFlood, Cancelled
        """
        self.watch()
        most = self.limits.answer_mib * MIB
        try:
            frame = wire.receive(self.channel, self.deadline, most, self.watch)
        except wire.WireClosed:
            if self.jail.over_memory or self.jail.oom_kills() > self._oom_kills:
                raise MemoryExceeded from None
            raise
        if (
            self.jail.oom_kills() > self._oom_kills
        ):  # of a process that the answering one had started
            raise MemoryExceeded
        return frame

    def watch(self) -> None:
        """Drain the pipes, look at the limits, hear init; called at least every 50 ms."""
        self.drain()
        if self.output.total > self.output.cap * FLOOD_FACTOR:
            raise OutputFlood
        self.jail.hear_init()
        if self.jail.over_memory or self.jail.used_bytes > self.limits.memory_mib * MIB:
            raise MemoryExceeded
        if self.jail.seen_oom_kills > self._oom_kills:
            raise MemoryExceeded
        if self.account in self.jail.cpu_spent:
            raise CpuExceeded
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

    def restless(self) -> bool:
        """Whether more runs in the jail than was asked for, so that it may be in the way of others."""
        return self.number > 0 and self.jail.restless()

    def has_begun(self) -> bool:
        """Whether there was a process to answer it. False only once init has said so."""
        return self.number == 0 or self.number not in self.jail.not_begun

    def close(self) -> None:
        self.drain()
        self.jail.forget(self.number)
        self.channel.close()
        self._their_channel.close()
        for descriptor in (*self._pipes, *self._their_pipes):
            os.close(descriptor)
        self._pipes = self._their_pipes = []


class Jail:
    """One jail with its walls up. Closing it ends every process in it.

    Args:
        wire_socket: the wire to its init.
        builder: the process outside whose death takes the jail along, with all that came of it.
        limits: of the notebook in it.
        wall_stands: whether the zygote behind the jail is alive.
        on_close: called once, when the jail has ended.
        groups: where the jail's control group comes from; None: it gets none.
        gpu: CUDA reserves addresses by the terabyte, so these are not limited.
    """

    def __init__(
        self,
        wire_socket: socket.socket,
        builder: Family,
        limits: Limits,
        *,
        wall_stands: Callable[[], bool] = lambda: True,
        on_close: Callable[[], None] = lambda: None,
        groups: Groups | None = None,
        gpu: bool = False,
    ) -> None:
        self.wire = wire_socket
        self.builder_pid = builder.pid  # 0 when it cannot be seen from here
        self.limits = limits
        self.memory_limit = limits.memory_mib * MIB
        self.used_bytes = 0  # as the watchdog saw it last
        self.seen_oom_kills = 0
        self.over_memory = False
        self.cancelled: Callable[[], bool] = lambda: False
        self.student_status: int | None = None
        self.student_ended = False
        self.init_ended = False
        self._wall_stands = wall_stands
        self._on_close = on_close
        self._gpu = gpu
        self._lock = threading.Lock()  # checks are asked from several threads
        self._numbers = itertools.count(1)
        self._asking: set[int] = set()
        self._stopped: set[int] = set()
        self.cpu_spent: set[int] = set()  # accounts over their limit
        self.not_begun: set[int] = set()  # checks for which the notebook's process died too early
        self._baseline = 0
        self._builder = builder
        self._closed = False
        self._cores = take_cores(CHECKS_AT_ONCE)
        self._groups = groups
        self._group: Group | None = None
        try:
            self._enter_group()
            self._send({"tmp_mib": limits.tmp_mib})
            self._expect_ready()
        except BaseException:
            self.close()
            raise
        self._baseline = builder.memory_bytes()
        watchdog.add(self)

    def _enter_group(self) -> None:
        """Before anything is ordered, so that all of init and of the student's is counted in the group."""
        if self._groups is None:
            return
        self._group = self._groups.take(self._group_bytes(), self.limits.processes)
        if self._group is not None:
            with contextlib.suppress(OSError):  # the watchdog remains
                self._group.enter([self.builder_pid])
                self._group.enter(self._builder.processes()[1:])

    def _group_bytes(self) -> int:
        """Files in the private places count in a group and not for the watchdog: a verdict should not
        depend on which of them a host has."""
        return self.memory_limit + PRIVATE_PLACES * self.limits.tmp_mib * MIB

    def oom_kills(self) -> int:
        """How many processes of this jail's group the kernel has killed for want of memory."""
        return self._group.oom_kills() if self._group is not None else 0

    def _expect_ready(self) -> None:
        event = self._event(BUILD_SECONDS)
        if event is None or event.get("event") != "ready":
            told = "no answer" if event is None else event.get("error", event)
            raise WallError(f"a jail could not be built: {told}")

    def _send(self, order: dict[str, Any], descriptors: list[int] | None = None) -> None:
        try:
            socket.send_fds(self.wire, [json.dumps(order).encode()], descriptors or [])
        except OSError as error:
            self.require_wall()
            raise wire.WireClosed from error

    def require_wall(self) -> None:
        """Raises:
        WallError: the zygote died and the jail with it, which no student can bring about.
        """
        if not self._wall_stands():
            raise WallError("a zygote died while its jails were in use")

    def _event(self, seconds: float) -> dict[str, Any] | None:
        """What init tells next; None when nothing came or it is gone."""
        poll = select.poll()
        if self.wire.fileno() >= 0:
            poll.register(self.wire, select.POLLIN)
        if not poll.poll(seconds * 1000):
            return None
        try:
            data = self.wire.recv(4096)
        except OSError:
            data = b""
        if not data:
            self.student_ended = self.init_ended = True
            return None
        event: dict[str, Any] = json.loads(data)
        return event

    def hear_init(self, seconds: float = 0.0) -> None:
        """Note what init has told: the end of the notebook's process, checks that it stopped."""
        with self._lock:
            while not self.init_ended and (event := self._event(seconds)) is not None:
                seconds = 0.0
                if event.get("event") == "student_ended":
                    self.student_ended, self.student_status = True, int(event["status"])
                elif event.get("event") == "stopped":
                    self._stopped.add(int(event["number"]))
                elif event.get("event") == "cpu_spent":
                    self.cpu_spent.add(int(event["number"]))
                elif event.get("event") == "not_begun":
                    self.not_begun.add(int(event["number"]))

    def wait_for_end(self, seconds: float = 0.2) -> int | None:
        """After a channel closed: the status of the notebook's process if it has ended."""
        deadline = time.monotonic() + seconds
        while not self.student_ended and (left := deadline - time.monotonic()) > 0:
            self.hear_init(min(left, 0.01))
        return self.student_status

    def start_notebook(self) -> Exchange:
        """Fork the student's process; the exchange is for the notebook's cells."""
        limits = self.limits
        order = {
            "op": "notebook",
            "number": 0,
            "memory_bytes": BOUNDLESS if self._gpu else limits.memory_mib * MIB,
            "cpu_seconds": limits.cpu_seconds,
            "processes": limits.processes,
            "file_mib": limits.tmp_mib,
            "cores": self._cores.numbers,
        }
        return self._start(Exchange(self, limits, limits.notebook_wall_seconds), order)

    def start_check(self, limits: Limits) -> Exchange:
        """Fork the notebook's process for one check."""
        exchange = Exchange(self, limits, limits.check_wall_seconds, next(self._numbers))
        order = {"op": "check", "number": exchange.number, "cpu_seconds": limits.check_cpu_seconds}
        return self._start(exchange, order)

    def count_anew(self, cpu_seconds: float) -> int:
        """From now on the processor time of the one question in this jail has another limit."""
        account = next(self._numbers)
        with (
            contextlib.suppress(wire.WireClosed),
            self._lock,
        ):  # init is gone: so will the answer be
            self._send({"op": "count", "number": account, "cpu_seconds": cpu_seconds})
        return account

    def _start(self, exchange: Exchange, order: dict[str, Any]) -> Exchange:
        try:
            with self._lock:
                order["beside"] = list(self._asking)
                self._asking.add(exchange.number)
                self._allow(exchange.limits.memory_mib * MIB)
                self._send(order, exchange.theirs())
        except BaseException:
            exchange.close()
            raise
        exchange.passed_on()
        return exchange

    def forget(self, number: int) -> None:
        """A question was answered or given up; what still runs for it dies before the next one."""
        self._asking.discard(number)

    def _allow(self, memory_bytes: int) -> None:
        """A check may have more memory than the notebook; what it has been given stays given."""
        if memory_bytes > self.memory_limit:
            self.memory_limit = memory_bytes
            if self._group is not None:
                with contextlib.suppress(OSError):
                    self._group.limit(self._group_bytes())

    def stop(self, number: int) -> bool:
        """Kill one check with all that it started. False: init did not manage to, or the jail is of no
        more use. What init had to tell about the check has been heard afterwards."""
        self.forget(number)
        try:
            with self._lock:
                self._send({"op": "stop", "number": number, "beside": list(self._asking)})
        except wire.WireClosed:
            return False
        deadline = time.monotonic() + STOP_SECONDS
        while number not in self._stopped:
            if self.init_ended or time.monotonic() > deadline:
                return False
            self.hear_init(0.01)
        return not self.student_ended

    def restless(self) -> bool:
        """Whether one was stopped, or there are more than builder, init, notebook and two checks."""
        return self._builder.is_restless()

    def memory_bytes(self) -> int:
        """Private memory that the jail has taken since its walls stood."""
        used = self._builder.memory_bytes() - self._baseline
        # Forks share pages; where the kernel tells, count those once. It does so slowly, and a page that
        # is shared by many may be copied by each at any moment: hence a ceiling for the plain sum.
        if self.memory_limit < used <= self._ceiling():
            enough = self.memory_limit + self._baseline
            share = self._builder.share_bytes(enough)
            used = used if share is None else min(used, share)
        return used

    def _ceiling(self) -> int:
        """What all processes together may hold even if they share it: what they began with apart."""
        processes = len(self._builder.processes())
        return SHARED_AT_MOST * self.memory_limit + processes * self._baseline

    def look(self) -> None:
        """Measure the memory and end the jail when it is over its limit; the watchdog calls this."""
        used, kills = self.memory_bytes(), self.oom_kills()
        with self._lock:
            if self._closed:
                return
            self.used_bytes = used
            self.seen_oom_kills = kills
            if used > self.memory_limit:
                self.over_memory = True
                self._builder.end()

    def close(self) -> None:
        """End every process of the jail: with the builder dies init, and with init its namespace."""
        watchdog.remove(self)
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._builder.end()
            self._builder.close()
            self.wire.close()
        self._cores.give_back()
        if self._groups is not None and self._group is not None:
            self._groups.give_back(self._group)
        self._on_close()
