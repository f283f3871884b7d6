"""The worker's end of one zygote: exec it warm, fork it for each submission, notice when it died."""

import contextlib
import os
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

from grader.errors import WallError
from grader.inside.wire import WireClosed
from grader.protocol import Limits
from grader.sandbox.jail import Jail
from grader.sandbox.memory import private_bytes

PID = struct.Struct(">i")
WARM_UP_SECONDS = 120.0
FORKS_BEFORE_RENEWAL = 2_000
FORKS_BETWEEN_LOOKS = 50
GROWTH_BYTES = 64 * 2**20
SCRIPT = Path(__file__).resolve().parents[1] / "inside" / "zygote.py"
LABKIT = Path(__file__).resolve().parents[2] / "labs" / "labkit"

# All that a zygote's environment holds: a jail can read it in /proc/1/environ, as of exec.
ENVIRONMENT = {
    "OMP_THREAD_LIMIT": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "LANG": "C.UTF-8",
    "HOME": "/home/student",
    "MPLBACKEND": "Agg",
}


class Zygote:
    """A warm Python. `fork` takes about as long as building the walls does."""

    def __init__(self, name: str, python: Path, modules: tuple[str, ...]) -> None:
        self.name = name
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [str(python), "-s", "-P", "-B", str(SCRIPT), str(theirs.fileno()), str(LABKIT)]
        self.process = subprocess.Popen(
            [*command, *modules],
            env=ENVIRONMENT,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        theirs.close()
        self.control.settimeout(WARM_UP_SECONDS)
        try:
            ready = self.control.recv(1)
        except OSError as error:
            self.close()
            raise WallError(f"the {name} zygote did not warm up: {error}") from error
        if ready != b"R":
            self.close()
            raise WallError(f"the {name} zygote ended while it warmed up; its message is above")
        self.control.settimeout(30.0)
        self.forks = 0
        self.open_jails = 0
        self._lock = threading.Lock()
        self._silent = False
        self._grown = False
        self._warm_bytes = private_bytes(self.process.pid)

    @property
    def alive(self) -> bool:
        return not self._silent and self.process.poll() is None

    def fork(self, limits: Limits) -> Jail:
        """A jail whose walls stand.

        Raises:
            WallError: the zygote died or the walls could not be built.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            socket.send_fds(self.control, [b"F"], [theirs.fileno()])
            (pid,) = PID.unpack(self.control.recv(PID.size))
        except (OSError, struct.error) as error:
            self._silent = True  # whatever it still says would answer the wrong question
            ours.close()
            raise WallError(f"the {self.name} zygote is gone: {error}") from error
        finally:
            theirs.close()
        self.forks += 1
        with self._lock:
            self.open_jails += 1
        try:
            return Jail(
                ours, pid, limits, wall_stands=lambda: self.alive, on_close=self._jail_closed
            )
        except (OSError, WireClosed) as error:
            raise WallError(f"a jail could not be built: {error!r}") from error

    def _jail_closed(self) -> None:
        with self._lock:
            self.open_jails -= 1

    @property
    def worn_out(self) -> bool:
        """Whether another one should take its place: after many forks, or when it has grown."""
        if self.forks % FORKS_BETWEEN_LOOKS == 0 and self.forks:
            self._grown = private_bytes(self.process.pid) > self._warm_bytes + GROWTH_BYTES
        return self._grown or self.forks >= FORKS_BEFORE_RENEWAL

    def close(self) -> None:
        """End the zygote; its jails end with it."""
        self.control.close()
        deadline = time.monotonic() + 2
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
            self.process.wait()
