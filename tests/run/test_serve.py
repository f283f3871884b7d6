"""`python -m tools.serve`, as far as it goes before anything is set up: ports, and one run at a time."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tools.lock import BusyError, locked
from tools.ports import PortTakenError, listen

ROOT = Path(__file__).resolve().parents[2]


def serve(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.serve"],
        cwd=ROOT,
        env={**os.environ, "GRADUS_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_a_taken_port_is_named_with_its_holder_and_the_way_to_choose_another(
    tmp_path: Path,
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        answer = serve(tmp_path, PORT=str(port))
    assert answer.returncode == 1
    assert f"Port {port} on 127.0.0.1 is already taken by process {os.getpid()}" in answer.stdout
    assert f"make run PORT={port + 1}" in answer.stdout
    assert list(tmp_path.iterdir()) == [], "a lock or socket was left behind"


def test_a_port_that_is_no_number_is_refused(tmp_path: Path) -> None:
    answer = serve(tmp_path, PORT="http")
    assert answer.returncode == 2
    assert "make run PORT=8001" in answer.stdout


def test_an_address_of_another_machine_is_refused_in_words() -> None:
    with pytest.raises(PortTakenError, match=r"Cannot listen on 192\.0\.2\.1 port 8000"):
        listen("192.0.2.1", 8000)


def test_a_second_run_in_one_checkout_is_told_about_the_first(tmp_path: Path) -> None:
    with locked(tmp_path / "run.lock") as lock:
        lock.describe(url="http://127.0.0.1:8000/")
        answer = serve(tmp_path, PORT="0")
    assert answer.returncode == 1
    assert "already running from this checkout: http://127.0.0.1:8000/" in answer.stdout
    assert f"kill {os.getpid()}" in answer.stdout


def test_a_lock_left_by_a_killed_run_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    path.write_text(json.dumps({"pid": "1", "url": "http://127.0.0.1:8000/"}))
    with locked(path):
        assert json.loads(path.read_text()) == {"pid": str(os.getpid())}
    assert not path.exists()


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with locked(path), pytest.raises(BusyError) as caught, locked(path):
        pass
    assert caught.value.holder == {"pid": str(os.getpid())}
