"""The same fork without any wall, for hosts on which an operator asked for that in so many words.

There are no namespaces: the student's code runs as the worker's user, sees the host's files, network and
processes, and can stop the worker. What is kept is what costs nothing: no capabilities, no new privileges,
the filter on system calls, limits, a directory of one's own, and that everything ends with the jail. So
init is not pid 1 here. It must never touch a process that did not come of it, and has to end by itself
what the kernel would otherwise end with the namespace.
"""

import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import tempfile
from typing import Any

from grader.inside import jail, processor
from grader.inside.init import MAX_ORDER, Init


class BareInit(Init):
    """Init among the host's processes: it knows its own descendants and nobody else."""

    def become_student(
        self, order: dict[str, Any], descriptors: list[int], theirs: socket.socket
    ) -> None:
        """The kernel counts all processes of this user, so a limit would count those as well."""
        hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        everyone = 2**20 if hard == resource.RLIM_INFINITY else hard
        super().become_student({**order, "processes": everyone}, descriptors, theirs)

    @staticmethod
    def processes() -> dict[int, processor.Process]:
        """Every descendant."""
        everyone = Init.processes()
        ours: dict[int, processor.Process] = {}
        pending = [os.getpid()]
        while pending:
            current = pending.pop()
            children = {pid: one for pid, one in everyone.items() if one.parent == current}
            ours.update(children)
            pending += children
        return ours

    @staticmethod
    def kill(pid: int, number: signal.Signals) -> None:
        if pid > 1:  # -1 would be everybody
            Init.kill(pid, number)

    def end_everything(self) -> None:
        """What the end of a pid namespace would do."""
        for _ in range(100):
            strays = self.parents()
            for pid in strays:
                self.kill(pid, signal.SIGKILL)
            with contextlib.suppress(OSError):  # nobody is left to be told
                self.reap()
            if not strays:
                return


def run(wire_fd: int, room: jail.Room, filter_code: bytes, shell: Any) -> None:
    """Say that it stands, although nothing does, and serve until the wire closes."""
    wire = socket.socket(fileno=wire_fd)
    folder = ""
    try:
        jail.adopt_orphans()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        jail.die_first_when_memory_is_short()
        jail.forbid_core_dumps()
        json.loads(wire.recv(MAX_ORDER))
        folder = tempfile.mkdtemp(prefix="gradus-unsafe-")
        os.chdir(folder)
        jail.HOME = folder
        null = os.open("/dev/null", os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        jail.close_all_but({0, 1, 2, wire_fd})
        jail.give_up_capabilities(filter_code)
    except BaseException as error:
        wire.send(json.dumps({"event": "failed", "error": str(error)[:1000]}).encode())
        os._exit(1)
    init = BareInit(wire, shell)
    try:
        init.say(event="ready")
        init.serve()
    finally:
        init.end_everything()
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)
