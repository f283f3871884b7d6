"""Pid 1 of a jail: trusted, tiny, holds the wire, and takes the whole jail with it when it ends."""

import json
import os
import select
import signal
import socket
from typing import Any

from grader.inside import jail, kernel

MAX_ORDER = 4096


class Init:
    """Obeys the worker's orders on the wire; the student's process is its child."""

    def __init__(self, wire: socket.socket, shell: Any) -> None:
        self.wire = wire
        self.shell = shell
        self.student = 0
        self.relay: socket.socket | None = None
        self.checks: dict[int, int] = {}  # check's number → pid, as the student's process tells it

    def say(self, **event: Any) -> None:
        self.wire.send(json.dumps(event).encode())

    def serve(self) -> None:
        poll = select.poll()
        poll.register(self.wire, select.POLLIN)
        student_fd = -1
        while True:
            ready = dict(poll.poll(1000))
            if self.relay is not None and self.relay.fileno() in ready:
                self.learn_pids(poll)
            if student_fd in ready:
                poll.unregister(student_fd)
                os.close(student_fd)
                student_fd = -1
            self.reap()
            if self.wire.fileno() in ready:
                data, descriptors, _, _ = socket.recv_fds(self.wire, MAX_ORDER, 3)
                if not data:
                    return
                order = json.loads(data)
                if order["op"] == "notebook" and not self.student:
                    student_fd = self.start_student(order, descriptors)
                    poll.register(student_fd, select.POLLIN)
                    if self.relay is not None:
                        poll.register(self.relay, select.POLLIN)
                elif order["op"] == "check":
                    self.sweep()
                    self.pass_on(order["number"], descriptors)
                elif order["op"] == "stop":
                    self.stop(order["number"])
                    self.say(event="stopped", number=order["number"])
                for descriptor in descriptors:
                    os.close(descriptor)

    def start_student(self, order: dict[str, Any], descriptors: list[int]) -> int:
        """Fork the process that runs the notebook; returns a pidfd that tells its end."""
        self.relay, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.relay.setblocking(False)  # a student's process that stops reading must not stop us
        self.student = os.fork()
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
            jail.set_limits(
                memory_bytes=jail.virtual_size() + order["memory_bytes"],
                cpu_seconds=order["cpu_seconds"],
                processes=order["processes"],
                file_mib=order["file_mib"],
            )
            relay, channel, out, err = theirs.detach(), *descriptors
            jail.close_all_but({0, 1, 2, relay, channel, out, err})
            kernel.run_student(self.shell, socket.socket(fileno=relay), channel, out, err)
        finally:
            os._exit(70)

    def pass_on(self, number: int, descriptors: list[int]) -> None:
        """Hand a check's channel and pipes to the student's process, which forks for it."""
        try:
            if self.relay is not None:
                socket.send_fds(self.relay, [b"%d" % number], descriptors)
        except OSError:
            return  # it is gone or does not read; the worker sees a closed channel or its deadline

    def learn_pids(self, poll: Any) -> None:
        """Note which process answers which check. A lie can only spare or hit the liar's own."""
        assert self.relay is not None
        try:
            told = self.relay.recv(64)
            if told:
                number, pid = told.split()
                self.checks[int(number)] = int(pid)
                return
        except (OSError, ValueError):
            pass
        poll.unregister(self.relay)  # closed, or something else than we agreed on

    def stop(self, number: int) -> None:
        """End a check that ran into a limit, with everything that it started."""
        self.checks.pop(number, None)
        self.sweep()

    def sweep(self) -> None:
        """Kill what belongs to no check that is being asked: neither init, notebook nor their forks."""
        for _ in range(50):
            parents = self.parents()
            spared = {1, self.student, *self.checks.values()}
            strays = [pid for pid in parents if not self.belongs(pid, parents, spared)]
            alive = [pid for pid in strays if self.kill(pid)]
            if not alive:
                break
            self.reap()
        self.checks = {n: pid for n, pid in self.checks.items() if pid in parents}

    @staticmethod
    def parents() -> dict[int, int]:
        """Each living process of the jail with its parent."""
        found = {}
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/stat") as file:
                        state, parent = file.read().rpartition(")")[2].split()[:2]
                except OSError:
                    continue
                if state not in "ZX":
                    found[int(name)] = int(parent)
        return found

    @staticmethod
    def belongs(pid: int, parents: dict[int, int], spared: set[int]) -> bool:
        """Whether a process is spared, or descends from a check that is; init's orphans do not."""
        for _ in range(64):
            if pid in spared:
                return True
            pid = parents.get(pid, 1)
            if pid in (0, 1):
                return False
        return False

    @staticmethod
    def kill(pid: int) -> bool:
        """True when the process was there to be killed."""
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

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
                self.say(event="student_ended", status=os.waitstatus_to_exitcode(status))


def run(wire_fd: int, room: jail.Room, filter_code: bytes, shell: Any) -> None:
    """Build the walls as pid 1, say that they stand, and serve until the wire closes."""
    wire = socket.socket(fileno=wire_fd)
    try:
        jail.die_with_parent()
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
