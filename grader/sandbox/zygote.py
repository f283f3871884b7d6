"""The worker's end of one zygote: exec it warm, fork it for each submission, notice when it died."""

import contextlib
import os
import socket
import struct
import subprocess
import time
from pathlib import Path

from grader.errors import WallError
from grader.protocol import Limits
from grader.sandbox.jail import Jail

PID = struct.Struct(">i")
WARM_UP_SECONDS = 120.0
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
    "IPYTHONDIR": "/nonexistent",
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
        self._silent = False

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
            theirs.close()
            (pid,) = PID.unpack(self.control.recv(PID.size))
            self.forks += 1
            return Jail(ours, pid, limits)
        except (OSError, struct.error) as error:
            self._silent = True  # whatever it still says would answer the wrong question
            ours.close()
            raise WallError(f"the {self.name} zygote is gone: {error}") from error
        except BaseException:
            ours.close()
            raise

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
