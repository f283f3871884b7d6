"""The process manager of `make run`, with real processes: what dies comes back, what ends leaves nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("scripted_site.py")

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="needs Linux: orphans are found by way of a subreaper"
)


class Site:
    """A started scripted site: its output so far, and the processes that it noted."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self.folder = folder

    def output(self) -> str:
        return (self.folder / "output").read_text()

    def pids(self, word: str) -> list[int]:
        path = self.folder / "pids"
        rows = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [int(pid) for name, pid in rows if name == word]

    def wait_for(self, text: str, seconds: float = 15) -> None:
        wait_until(lambda: text in self.output(), f"{text!r} in:\n{self.output()}", seconds)

    def everyone(self) -> list[int]:
        return [
            pid
            for word in ("store", "session", "orphan", "worker", "stubborn")
            for pid in self.pids(word)
        ]

    def assert_nobody_is_left(self, seconds: float = 5) -> None:
        everyone = self.everyone()
        assert everyone
        wait_until(
            lambda: not any(is_alive(pid) for pid in everyone),
            f"alive: {[pid for pid in everyone if is_alive(pid)]}",
            seconds,
        )


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


@contextmanager
def scripted_site(folder: Path, scenario: str = "well-behaved") -> Iterator[Site]:
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(folder), scenario],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    site = Site(process, folder)
    try:
        yield site
    finally:
        process.kill()
        process.wait()


def test_services_start_in_order_and_their_lines_carry_their_names(tmp_path: Path) -> None:
    with scripted_site(tmp_path) as site:
        site.wait_for("ALL HEALTHY")
        output = site.output()
        assert output.index("store is healthy") < output.index("worker │ worker is up")
        assert "store │ store is up" in output
        assert "store is up" in (tmp_path / "log" / "store.log").read_text()


def test_a_killed_service_is_back_within_a_second_and_its_old_children_are_gone(
    tmp_path: Path,
) -> None:
    with scripted_site(tmp_path) as site:
        site.wait_for("ALL HEALTHY")
        old = [*site.pids("store"), *site.pids("session"), *site.pids("orphan")]
        os.kill(site.pids("store")[0], signal.SIGKILL)
        wait_until(lambda: len(site.pids("store")) == 2, "a second store", 1.5)
        site.wait_for("store is back")
        assert "store was killed by SIGKILL; starting it again" in site.output()
        assert not any(is_alive(pid) for pid in old)


def test_a_killed_guard_takes_its_family_along_and_the_service_comes_back(tmp_path: Path) -> None:
    with scripted_site(tmp_path) as site:
        site.wait_for("ALL HEALTHY")
        old = [*site.pids("store"), *site.pids("session"), *site.pids("orphan")]
        status = Path(f"/proc/{site.pids('store')[0]}/status").read_text()
        guard = int(status.partition("\nPPid:\t")[2].split()[0])
        os.kill(guard, signal.SIGKILL)
        wait_until(lambda: len(site.pids("store")) == 2, "a second store", 3)
        wait_until(lambda: not any(is_alive(pid) for pid in old), f"the end of {old}", 2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_in_order_and_leaves_no_process(
    tmp_path: Path, number: signal.Signals
) -> None:
    with scripted_site(tmp_path) as site:
        site.wait_for("ALL HEALTHY")
        site.process.send_signal(number)
        assert site.process.wait(10) == 0
        assert site.pids("drained") == site.pids("worker"), "the worker was not let finish"
        site.assert_nobody_is_left(0.5)


def test_who_does_not_stop_is_killed_after_its_grace(tmp_path: Path) -> None:
    with scripted_site(tmp_path, "impatient") as site:
        site.wait_for("ALL HEALTHY")
        began = time.monotonic()
        site.process.send_signal(signal.SIGINT)
        assert site.process.wait(10) == 0
        assert time.monotonic() - began < 5
        site.assert_nobody_is_left(0.5)


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    with scripted_site(tmp_path, "stubborn") as site:
        site.wait_for("ALL HEALTHY")
        site.process.send_signal(signal.SIGINT)
        site.wait_for("waiting for stubborn to finish")
        site.process.send_signal(signal.SIGINT)
        assert site.process.wait(5) == 0
        site.assert_nobody_is_left(0.5)


def test_nothing_survives_the_supervisor_being_killed(tmp_path: Path) -> None:
    with scripted_site(tmp_path) as site:
        site.wait_for("ALL HEALTHY")
        site.process.kill()
        site.process.wait()
        site.assert_nobody_is_left()


def test_who_keeps_dying_before_being_healthy_ends_the_start_with_its_last_words(
    tmp_path: Path,
) -> None:
    with scripted_site(tmp_path, "broken") as site:
        assert site.process.wait(20) == 1
        output = site.output()
        assert "START FAILED: broken ended with exit status 3, 4 times in a row" in output
        assert "    no such table: lab" in output
        assert "broken.log" in output
        site.assert_nobody_is_left(0.5)


def test_waiting_says_for_what_and_ends(tmp_path: Path) -> None:
    with scripted_site(tmp_path, "never-healthy") as site:
        assert site.process.wait(20) == 1
        output = site.output()
        assert "waiting for slow: it is waiting for the moon" in output
        assert "Not healthy after 6 s" in output
        site.assert_nobody_is_left(0.5)


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with scripted_site(tmp_path, "missing-program") as site:
        assert site.process.wait(20) == 1
        assert "/nowhere/redis-server: No such file or directory" in site.output()
