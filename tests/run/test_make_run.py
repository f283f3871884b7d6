"""`make run`, the real one, in this checkout with data of its own: healthy, killed at, stopped."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: it looks into /proc"),
]


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


def wait_until(condition: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.05)


def test_make_run_is_healthy_mends_itself_and_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "var"
    home.mkdir(mode=0o700)
    with make_run(home) as run:
        run.wait_for("Gradus is running", 120)
        with urllib.request.urlopen(f"{run.url}/", timeout=10) as page:
            assert page.status == 200

        accounts = home / "demo-accounts.txt"
        assert accounts.stat().st_mode & 0o777 == 0o600
        assert {"student", "assistant", "instructor", "outsider"} <= set(
            re.findall(r"\w+", accounts.read_text())
        )

        os.kill(run.pid_of("-A gpu_workers.app worker"), signal.SIGKILL)
        run.wait_for("worker was killed by SIGKILL; starting it again", 5)
        run.wait_for("worker is back", 30)

        os.killpg(run.process.pid, signal.SIGINT)  # what Ctrl-C does
        run.process.wait(40)
        wait_until(lambda: not run.processes(), f"the end of {run.processes()}", 2)
        left = {path.name for path in home.iterdir()}
        assert not {"redis.sock", "run.lock"} & left, left

    with make_run(home) as run:
        began = time.monotonic()
        run.wait_for("Gradus is running", 30)
        assert time.monotonic() - began < 8
        assert "Database and course" not in run.output(), "prepared again although nothing changed"
        passwords = re.findall(r"\S{10,}", accounts.read_text())
        assert not any(password in run.output() for password in passwords if "/" not in password)

        os.kill(run.pid_of("tools.serve"), signal.SIGKILL)
        wait_until(lambda: not run.processes(), "the end of everything", 30)
