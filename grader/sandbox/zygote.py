"""The worker's end of one zygote: fork it for each submission, notice when it died.

How a zygote is started differs from wall to wall; from then on all that is known of it is its control
socket and the pidfds that come from it. It renews itself (see grader/inside/zygote.py), so nobody here
counts its forks.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from grader.errors import WallError
from grader.inside import gate
from grader.inside.wire import WireClosed
from grader.protocol import Limits
from grader.sandbox.cgroup import Groups, groups
from grader.sandbox.family import Adopt, visible
from grader.sandbox.jail import Jail
from grader.sandbox.kinds import Kind, require_gpu

WARM_UP_SECONDS = 120.0
FORK_SECONDS = 60.0  # the longest of them meets a zygote that is just beginning afresh
CLOSE_SECONDS = 2.0
SCRIPT = Path(__file__).resolve().parents[1] / "inside" / "zygote.py"
LABKIT = Path(__file__).resolve().parents[2] / "labs" / "labkit"


class Zygote:
    """A warm Python. `fork` takes about as long as building the walls does.

    Processes that are forked from the one that made it may fork jails from it, too; it ends when all of
    them have closed it.

    Args:
        kind: what it has imported.
        control: connected to a zygote that is warming up.
        adopt: what makes a family of a pidfd behind this wall.
        groups: control groups for its jails, where they can be put into one.
        on_close: called in the process that made it, once it has ended or ought to have.
    """

    def __init__(
        self,
        kind: Kind,
        control: socket.socket,
        *,
        adopt: Adopt = visible,
        groups: Groups | None = None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = kind.name
        self.kind = kind
        self.groups = None if kind.gpu else groups
        self.control = control
        self.open_jails = 0
        self._adopt, self._on_close = adopt, on_close
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._end = -1  # a pidfd: readable when the zygote has ended, also by our forks
        control.settimeout(WARM_UP_SECONDS)
        try:
            ready, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        except OSError as error:
            self._fail(f"did not warm up: {error}")
        if len(descriptors) == 1:
            self._end = descriptors[0]
        if ready != b"R" or self._end < 0:
            self._fail("ended while it warmed up; its message is above")

    def _fail(self, how: str) -> None:
        self.control.close()
        self._on_close()
        raise WallError(f"the {self.name} zygote {how}")

    @property
    def pid(self) -> int:
        """As this process sees it; 0 when it does not."""
        return gate.head_of(self._end)

    @property
    def alive(self) -> bool:
        return self._end >= 0 and not self._ended_within(0)

    def _ended_within(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._end, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

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
            _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
            builder = self._adopt(descriptors[0])
            ours.settimeout(None)
        except (OSError, IndexError) as error:
            ours.close()
            raise WallError(f"the {self.name} zygote is gone: {error}") from error
        with self._lock:
            self.open_jails += 1
        try:
            return Jail(
                ours,
                builder,
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
            if not self._ended_within(CLOSE_SECONDS):
                with contextlib.suppress(OSError):
                    signal.pidfd_send_signal(self._end, signal.SIGKILL)
            self._on_close()
        os.close(self._end)
        self._end = -1


def start_process(
    kind: Kind, python: Path, *, labkit: Path = LABKIT, prefix: Sequence[str] = ()
) -> Zygote:
    """A zygote that is a child of this process.

    Args:
        prefix: a command that the zygote's is appended to.
    """
    if kind.gpu:
        require_gpu()
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [str(python), "-s", "-P", "-B", str(SCRIPT), str(theirs.fileno()), str(labkit)]
    process = subprocess.Popen(
        [*prefix, *command, *kind.arguments],
        env=kind.environment,
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
    theirs.close()

    def collect() -> None:
        try:
            process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    return Zygote(kind, control, groups=groups, on_close=collect)
