"""The worker's end of one zygote: exec it warm, fork it for each submission, notice when it died.

It renews itself (see grader/inside/zygote.py), so nobody here counts its forks.
"""

import contextlib
import os
import select
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

from grader.errors import WallError
from grader.inside.wire import WireClosed
from grader.protocol import Limits
from grader.sandbox.cgroup import Groups, groups
from grader.sandbox.jail import Jail
from grader.sandbox.kinds import Kind, require_gpu

PID = struct.Struct(">i")
WARM_UP_SECONDS = 120.0
FORK_SECONDS = 60.0  # the longest of them meets a zygote that is just beginning afresh
SCRIPT = Path(__file__).resolve().parents[1] / "inside" / "zygote.py"
LABKIT = Path(__file__).resolve().parents[2] / "labs" / "labkit"


class Zygote:
    """A warm Python. `fork` takes about as long as building the walls does.

    Processes that are forked from the one that made it may fork jails from it, too; it ends when all of
    them have closed it.
    """

    def __init__(self, kind: Kind, python: Path, labkit: Path = LABKIT) -> None:
        if kind.gpu:
            require_gpu()
        self.name = kind.name
        self.kind = kind
        self.groups: Groups | None = None if kind.gpu else groups
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [str(python), "-s", "-P", "-B", str(SCRIPT), str(theirs.fileno()), str(labkit)]
        self.process = subprocess.Popen(
            [*command, *kind.arguments],
            env=kind.environment,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        self._end = os.pidfd_open(self.process.pid)  # readable when it has ended, also by our forks
        self._owner = os.getpid()
        theirs.close()
        self.control.settimeout(WARM_UP_SECONDS)
        try:
            ready = self.control.recv(1)
        except OSError as error:
            self.close()
            raise WallError(f"the {kind.name} zygote did not warm up: {error}") from error
        if ready != b"R":
            self.close()
            raise WallError(
                f"the {kind.name} zygote ended while it warmed up; its message is above"
            )
        self.open_jails = 0
        self._lock = threading.Lock()

    @property
    def alive(self) -> bool:
        if self._end < 0:
            return False
        poll = select.poll()
        poll.register(self._end, select.POLLIN)
        return not poll.poll(0)

    def fork(self, limits: Limits) -> Jail:
        """A jail whose walls stand.

        Raises:
            WallError: the zygote died or the walls could not be built.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            ours.settimeout(FORK_SECONDS)
            try:
                socket.send_fds(self.control, [b"F"], [theirs.fileno()])
            finally:
                theirs.close()
            (pid,) = PID.unpack(ours.recv(PID.size))
            ours.settimeout(None)
        except (OSError, struct.error) as error:
            ours.close()
            raise WallError(f"the {self.name} zygote is gone: {error}") from error
        with self._lock:
            self.open_jails += 1
        try:
            return Jail(
                ours,
                pid,
                limits,
                wall_stands=lambda: self.alive,
                on_close=self._jail_closed,
                groups=self.groups,
                gpu=self.kind.gpu,
            )
        except (OSError, WireClosed) as error:
            raise WallError(f"a jail could not be built: {error!r}") from error

    def _jail_closed(self) -> None:
        with self._lock:
            self.open_jails -= 1

    def close(self) -> None:
        """End the zygote, and its jails with it; in a fork of its owner only let go of it."""
        self.control.close()
        if self._end < 0:
            return
        if os.getpid() == self._owner:
            self._await_end()
        os.close(self._end)
        self._end = -1

    def _await_end(self) -> None:
        deadline = time.monotonic() + 2
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
            self.process.wait()
