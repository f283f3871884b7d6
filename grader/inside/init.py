"""Pid 1 of a jail: trusted, tiny, holds the wire, and takes the whole jail with it when it ends.

It has the student's uid and shares a pid namespace with what the student started, so everything that
it reads there is hostile: /proc as bytes (a process chooses its own name), the relay's messages checked
against what was asked. It handles no signal, for the kernel drops those that pid 1 has no handler for.
"""

import contextlib
import json
import os
import select
import signal
import socket
import time
from typing import Any

from grader.inside import forks, jail, kernel, processor, seccomp

MAX_ORDER = 4096
REGISTRATION_SECONDS = 0.1
DYING_SECONDS = 2.0


class Init:
    """Obeys the worker's orders on the wire; the student's process is its child."""

    def __init__(self, wire: socket.socket, shell: Any) -> None:
        self.wire = wire
        self.shell = shell
        self.student = 0
        self.relay: socket.socket | None = None
        self.asked: set[int] = set()  # checks whose process is not known yet
        self.checks: dict[int, int] = {}  # check's number → pid, as the student's process tells it
        self.meter = processor.Meter()
        self.cores = 1

    def say(self, **event: Any) -> None:
        self.wire.send(json.dumps(event).encode())

    def serve(self) -> None:
        poll = select.poll()
        poll.register(self.wire, select.POLLIN)
        student_fd = -1
        while True:
            # Rounded up: half a millisecond of no pause at all would be spent looking at the clock.
            ready = dict(poll.poll(self.meter.pause_seconds() * 1000 + 1))
            if self.relay is not None and self.relay.fileno() in ready:
                self.learn_pids(poll)
            if student_fd in ready:
                poll.unregister(student_fd)
                os.close(student_fd)
                student_fd = -1
            self.reap()
            self.tell_who_used_too_much()
            if self.wire.fileno() in ready:
                data, descriptors, _, _ = socket.recv_fds(self.wire, MAX_ORDER, 3)
                if not data:
                    return
                order = json.loads(data)
                if order["op"] == "notebook" and not self.student:
                    self.count(order)
                    student_fd = self.start_student(order, descriptors)
                    poll.register(student_fd, select.POLLIN)
                    if self.relay is not None:
                        poll.register(self.relay, select.POLLIN)
                elif order["op"] == "check":
                    self.forget_all_but(order["beside"])
                    self.sweep()
                    self.count(order)
                    self.pass_on(order["number"], descriptors)
                elif order["op"] == "count":
                    self.forget_all_but([])
                    self.count(order)
                elif order["op"] == "stop":
                    self.forget_all_but(order["beside"])
                    self.sweep()
                    self.say(event="stopped", number=order["number"])
                for descriptor in descriptors:
                    os.close(descriptor)

    def start_student(self, order: dict[str, Any], descriptors: list[int]) -> int:
        """Fork the process that runs the notebook; returns a pidfd that tells its end."""
        self.relay, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.relay.setblocking(False)  # a student's process that stops reading must not stop us
        self.cores = max(1, len(order["cores"]))
        self.student = forks.fork()
        if self.student == 0:
            self.become_student(order, descriptors, theirs)
        theirs.close()
        return os.pidfd_open(self.student)

    def become_student(
        self, order: dict[str, Any], descriptors: list[int], theirs: socket.socket
    ) -> None:
        """In the fork: limits, no descriptor but our own, then the notebook. Never returns."""
        try:
            jail.die_with_parent()
            with contextlib.suppress(OSError):  # a core that init may not use is not worth a jail
                os.sched_setaffinity(0, order["cores"])
            seccomp.load(seccomp.student_program())
            jail.set_limits(
                memory_bytes=jail.virtual_size() + order["memory_bytes"],
                cpu_seconds=processor.MOST_SECONDS,
                processes=order["processes"],
                file_mib=order["file_mib"],
            )
            relay, channel, out, err = theirs.detach(), *descriptors
            jail.close_all_but({0, 1, 2, relay, channel, out, err})
            kernel.run_student(self.shell, socket.socket(fileno=relay), channel, out, err)
        finally:
            os._exit(70)

    def count(self, order: dict[str, Any]) -> None:
        """Count the processor time of a question that begins."""
        used = processor.used_seconds(self.others())
        self.meter.open(order["number"], order["cpu_seconds"], used, self.cores)

    def tell_who_used_too_much(self) -> None:
        if self.meter.due():
            used = processor.used_seconds(self.others())
            for number in self.meter.over(used, self.cores):
                self.say(event="cpu_spent", number=number)

    def others(self) -> list[processor.Process]:
        """All processes of the jail but this one."""
        return [one for pid, one in self.processes().items() if pid != os.getpid()]

    def pass_on(self, number: int, descriptors: list[int]) -> None:
        """Hand a check's channel and pipes to the student's process, which forks for it.

        The worker is told where that process is dead, or dies before it has forked: then whatever
        killed it, it was not this check.
        """
        try:
            if self.relay is not None and self.student > 0:
                self.kill(self.student, signal.SIGCONT)  # an earlier check may have stopped it
                self.asked.add(number)
                socket.send_fds(self.relay, [b"%d" % number], descriptors)
                return
        except ConnectionError:
            self.asked.discard(number)  # its end is about to be reaped
        except OSError:
            self.asked.discard(number)
            return  # it does not read; the worker sees a closed channel
        self.say(event="not_begun", number=number)

    def learn_pids(self, poll: select.poll) -> None:
        """Note which process answers which check. A lie can only spare or hit the liar's own."""
        assert self.relay is not None
        with contextlib.suppress(OSError):
            if (told := self.relay.recv(64)) and self.note_pid(told):
                return
        with contextlib.suppress(KeyError):
            poll.unregister(self.relay)  # closed, or something else than we agreed on
        self.give_up_on_asked()

    def note_pid(self, told: bytes) -> bool:
        """Whether this is what the student's process was to tell."""
        try:
            number, pid = (int(word) for word in told.split())
        except ValueError:
            return False
        if number in self.asked:
            self.asked.remove(number)
            self.checks[number] = pid
        return True

    def forget_all_but(self, numbers: list[int]) -> None:
        """Only the checks that are being asked now have a right to live on."""
        self.asked.intersection_update(numbers)
        self.meter.keep(numbers)
        self.checks = {n: pid for n, pid in self.checks.items() if n in numbers}

    def sweep(self) -> None:
        """Kill what belongs to no check that is being asked; init and the notebook are spared.

        Back when all of it is dead: a process that was sent SIGKILL may still finish a system call, and
        that could be the one which kills everything else.
        """
        self.await_pids()
        killed: set[int] = set()
        for attempt in range(50):
            if attempt >= 3:  # they fork faster than we kill: let nobody run but us meanwhile
                self.kill(-1, signal.SIGSTOP)
            strays = self.strays() - killed
            for pid in strays:
                self.kill(pid, signal.SIGKILL)
            if attempt >= 3:
                self.kill(-1, signal.SIGCONT)
            self.reap()
            if not strays:
                break
            killed |= strays
        deadline = time.monotonic() + DYING_SECONDS
        while killed & self.parents().keys() and time.monotonic() < deadline:
            time.sleep(0.0005)
            self.reap()

    def strays(self) -> set[int]:
        parents = self.parents()
        return {pid for pid in parents if not self.belongs(pid, parents)}

    def await_pids(self) -> None:
        """A check whose process is not known would be taken for a stray; it is about to be told."""
        poll = select.poll()
        if self.relay is not None and self.asked:
            poll.register(self.relay, select.POLLIN)
        deadline = time.monotonic() + REGISTRATION_SECONDS
        while self.asked and time.monotonic() < deadline:
            if poll.poll(REGISTRATION_SECONDS * 1000):
                self.learn_pids(poll)

    @staticmethod
    def processes() -> dict[int, processor.Process]:
        """Every process of the jail, the dead that nobody has waited for among them."""
        found = ((int(name), processor.read_process(int(name))) for name in _pids())
        return {pid: process for pid, process in found if process is not None}

    def parents(self) -> dict[int, int]:
        """Each living process of the jail with its parent."""
        return {pid: one.parent for pid, one in self.processes().items() if one.alive}

    def belongs(self, pid: int, parents: dict[int, int]) -> bool:
        """Whether a process is init, the notebook, or a check that is being asked with all it started."""
        if pid in (1, self.student):
            return True
        checks = set(self.checks.values()) - {1, self.student}
        for _ in range(len(parents)):
            if pid in checks:
                return True
            pid = parents.get(pid, 1)
        return False

    @staticmethod
    def kill(pid: int, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def reap(self) -> None:
        """Collect the dead; tell the worker when the notebook's process is among them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.student:
                self.student = -1
                self.hear_last_words()
                self.say(event="student_ended", status=os.waitstatus_to_exitcode(status))

    def hear_last_words(self) -> None:
        """What the notebook's process told before it died; what it did not fork for is not begun."""
        while self.relay is not None and self.asked:
            try:
                told = self.relay.recv(64)
            except OSError:
                break
            if not told or not self.note_pid(told):
                break
        self.give_up_on_asked()

    def give_up_on_asked(self) -> None:
        for number in self.asked:
            self.say(event="not_begun", number=number)
        self.asked.clear()


def _pids() -> list[str]:
    return [name for name in os.listdir("/proc") if name.isdigit()]


def run(wire_fd: int, room: jail.Room, filter_code: bytes, shell: Any) -> None:
    """Build the walls as pid 1, say that they stand, and serve until the wire closes."""
    wire = socket.socket(fileno=wire_fd)
    try:
        jail.die_with_parent()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        jail.die_first_when_memory_is_short()
        jail.forbid_core_dumps()
        jail.raise_loopback()
        order = json.loads(wire.recv(MAX_ORDER))
        jail.build_root(room, order["tmp_mib"])
        os.chown(jail.HOME, jail.STUDENT, jail.STUDENT)
        null = os.open("/dev/null", os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        jail.close_all_but({0, 1, 2, wire_fd})
        jail.drop_privileges(filter_code)
    except BaseException as error:
        wire.send(json.dumps({"event": "failed", "error": str(error)[:1000]}).encode())
        os._exit(1)
    init = Init(wire, shell)
    init.say(event="ready")
    init.serve()
    os._exit(0)
