"""`make run` as a person types it, with data of its own, for tests and measurements of starting."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Run:
    """One started `make run`."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path, port: int) -> None:
        self.process = process
        self.home = home
        self.url = f"http://127.0.0.1:{port}"

    def output(self) -> str:
        return (self.home / "output").read_text(errors="replace")

    def wait_for(self, text: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.output():
            assert self.process.poll() is None, f"make run ended:\n{self.output()}"
            assert time.monotonic() < deadline, f"no {text!r} in {seconds} s:\n{self.output()}"
            time.sleep(0.05)

    def processes(self) -> dict[int, str]:
        """All that this run started: found by the family tree, and by the environment."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            mine = f"GRADUS_HOME={self.home}".encode() in environment.split(b"\0")
            if mine and int(folder.name) != os.getpid():
                found[int(folder.name)] = command
        return found

    def pid_of(self, words: str) -> int:
        """The oldest process of that command line, leaving out the guards."""
        return min(
            pid
            for pid, command in self.processes().items()
            if words in command and "tools.guard" not in command
        )


@contextmanager
def make_run(home: Path) -> Iterator[Run]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"GRADUS_HOME": str(home), "PORT": str(port)}
    environment.pop("REDIS_URL", None)
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    with (home / "output").open("wb") as output:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    run = Run(process, home, port)
    try:
        yield run
    finally:
        for pid in run.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait(10)
