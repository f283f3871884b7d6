"""`make run`, the real one, in this checkout with data of its own: healthy, killed at, stopped."""

import os
import re
import signal
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.run.make_run import make_run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: it looks into /proc"),
]


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
        run.wait_for("worker was killed by SIGKILL; starting it again", 20)
        run.wait_for("worker is back", 60)

        os.killpg(run.process.pid, signal.SIGINT)  # what Ctrl-C does
        run.process.wait(40)
        wait_until(lambda: not run.processes(), f"the end of {run.processes()}", 2)
        left = {path.name for path in home.iterdir()}
        assert not {"redis.sock", "run.lock"} & left, left

    with make_run(home) as run:
        run.wait_for("Gradus is running", 60)
        assert "Database and course" not in run.output(), "prepared again although nothing changed"
        passwords = re.findall(r"\S{10,}", accounts.read_text())
        assert not any(password in run.output() for password in passwords if "/" not in password)

        os.kill(run.pid_of("tools.serve"), signal.SIGKILL)
        wait_until(lambda: not run.processes(), "the end of everything", 30)
