"""The whole site, started the way a person starts it, for tests and measurements."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 120


@dataclass(frozen=True)
class Site:
    """A running site: its address, its people's passwords and the process that manages it."""

    url: str
    home: Path
    passwords: dict[str, str]
    manager: "subprocess.Popen[str]"

    def page_of(self, path: str) -> str:
        return f"{self.url}{path}"

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def worker_processes(self) -> list[int]:
        """Every process of the Celery worker that belongs to this site."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                command = (folder / "cmdline").read_bytes()
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            if b"gpu_workers" in command and f"GRADUS_HOME={self.home}".encode() in environment:
                found.append(int(folder.name))
        return found


def _environment_of_a_person() -> dict[str, str]:
    """Ours without what the test suite has set for its own settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GRADUS_") and name != "DJANGO_SETTINGS_MODULE"
    }


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _passwords(path: Path) -> dict[str, str]:
    """The demo accounts, from lines that begin with a name and go on with its password."""
    lines = re.findall(
        r"^\s*(student|assistant|instructor|outsider)\s+(\S+)", path.read_text(), re.M
    )
    return dict(lines)


@contextmanager
def running_site() -> Iterator[Site]:
    """`make run` in a home of its own, on a free port; stopped with Ctrl-C at the end."""
    home = Path(tempfile.mkdtemp(prefix="gradus-e2e-"))
    port = _free_port()
    log = (home / "make-run.log").open("w+")
    manager = subprocess.Popen(
        [sys.executable, "-m", "tools.serve"],
        cwd=ROOT,
        env={**_environment_of_a_person(), "GRADUS_HOME": str(home), "PORT": str(port)},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _healthy(url):
            if manager.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                raise RuntimeError(f"the site did not start:\n{log.read()[-4000:]}")
            time.sleep(0.2)
        yield Site(url, home, _passwords(home / "demo-accounts.txt"), manager)
    finally:
        manager.send_signal(signal.SIGINT)
        try:
            manager.wait(40)
        except subprocess.TimeoutExpired:
            os.killpg(manager.pid, signal.SIGKILL)
            manager.wait()
        log.close()
        shutil.rmtree(home, ignore_errors=True)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:
            health = json.load(answer)
    except (OSError, ValueError):
        return False
    return bool(health["database"] and health["broker"] and health["workers"])
