"""Real Celery, a real Redis, a real site, the real grader in a real jail: nothing lost, nothing twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from redis import Redis

from campus.gradebook.models import ScoreEntry
from campus.submissions.models import Attempt, CheckResult
from campus.workers.models import Worker
from campus.workers.tokens import create_token
from tests.cast import LABS, RIGHT, WRONG, Cast, another_student, hand_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
# The notebook itself takes a while, so that there is a middle of the grading to be killed in.
SLOW = RIGHT | {"root": RIGHT["root"] + "\n\nimport time\ntime.sleep(1.5)"}


class WorkerProcess:
    """`python -m gpu_workers` as an operator starts it."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gpu_workers"],
            cwd=ROOT,
            env=environment,
            stdout=log.open("a"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def family(self) -> list[int]:
        """The worker, its slots, their zygotes and jails."""
        parents = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    stat = (folder / "stat").read_text()
                except OSError:
                    continue
                parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
        found = {self.process.pid}
        while True:
            more = {pid for pid, parent in parents.items() if parent in found} - found
            if not more:
                return sorted(found)
            found |= more

    def kill(self) -> None:
        """kill -9 of the worker alone; everything else has to notice by itself."""
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)


StartWorker = Callable[..., WorkerProcess]


@pytest.fixture
def start_worker(
    cast: Cast, live_server: LiveServer, redis_server: "Redis", tmp_path: Path
) -> Iterator[StartWorker]:
    """Workers with one slot each; all are stopped at the end, and what they said is shown on failure."""
    token, started = create_token("host"), []
    log = tmp_path / "worker.log"

    def start(name: str = "host", **changes: str) -> WorkerProcess:
        environment = {
            **os.environ,
            "GRADUS_HOME": str(tmp_path),
            "GRADUS_CAMPUS_URL": live_server.url,
            "GRADUS_WORKER_TOKEN": token,
            "GRADUS_WORKER_NAME": name,
            "GRADUS_WORKER_SLOTS": "1",
            "GRADUS_IDLE_POLL_SECONDS": "2",
            "GRADUS_LABS_PATH": str(LABS),
            "REDIS_URL": settings.REDIS_URL,
        }
        started.append(WorkerProcess(environment | changes, log))
        return started[-1]

    yield start
    for worker in started:
        worker.stop()
    print(log.read_text() if log.exists() else "")


def wait_until(true: Callable[[], bool], seconds: float) -> float:
    """How long it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - began


def ready() -> bool:
    return Worker.objects.exists()


def all_done() -> bool:
    return not Attempt.objects.exclude(state="done").exists()


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() and "Z" not in _state(pid) for pid in pids)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_a_submission_is_graded_by_the_real_grader(cast: Cast, start_worker: StartWorker) -> None:
    start_worker()
    wait_until(ready, 30)
    right = hand_in(cast, now=timezone.now()).attempt
    wrong = hand_in(cast, answers=WRONG, now=timezone.now()).attempt
    wait_until(all_done, 30)
    right.refresh_from_db()
    wrong.refresh_from_db()
    assert (right.score, right.max_score, right.wall, right.unsafe) == (10, 10, "local", False)
    assert wrong.score == 3  # `doubles` fails, and `some_root` needs it
    failed = wrong.results.get(check_name="doubles")
    assert failed.detail["difference"]["path"].startswith("y")


def test_redis_flushed_with_twenty_attempts_queued_all_twenty_are_graded(
    cast: Cast, start_worker: StartWorker, redis_server: "Redis"
) -> None:
    students = [cast.student, *(another_student(cast, f"student-{n}") for n in range(4))]
    for number in range(20):
        hand_in(cast, who=students[number % 5], now=timezone.now())
    assert redis_server.llen("cpu") == 20
    redis_server.flushall()
    start_worker()
    wait_until(ready, 30)
    redis_server.flushall()  # and once more while they are being graded
    wait_until(all_done, 60)
    assert Attempt.objects.filter(outcome="graded", score=10, claims=1).count() == 20
    assert ScoreEntry.objects.count() == 20
    # The worker still hears nudges after the flush.
    began = time.monotonic()
    hand_in(cast, now=timezone.now())
    wait_until(all_done, 10)
    assert time.monotonic() - began < 5


def test_a_worker_killed_while_grading_and_started_again_grades_it_once(
    cast: Cast, start_worker: StartWorker
) -> None:
    worker = start_worker()
    wait_until(ready, 30)
    attempt = hand_in(cast, answers=SLOW, now=timezone.now()).attempt
    wait_until(Attempt.objects.running().exists, 10)
    time.sleep(0.7)
    family = worker.family()
    worker.kill()
    wait_until(lambda: gone(family), 10)  # slots, zygotes and jails do not outlive it
    killed = time.monotonic()
    start_worker()
    wait_until(all_done, 60)
    assert time.monotonic() - killed < 25  # its successor gives the attempt back at once
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.score, attempt.claims) == ("graded", 10, 2)
    assert CheckResult.objects.count() == 4
    assert ScoreEntry.objects.count() == 1


def test_another_worker_takes_over_when_the_lease_of_a_killed_one_runs_out(
    cast: Cast, start_worker: StartWorker, settings
) -> None:
    settings.GRADUS_LEASE_SECONDS, settings.GRADUS_HEARTBEAT_SECONDS = 5, 1
    first = start_worker("first")
    wait_until(ready, 30)
    attempt = hand_in(cast, answers=SLOW, now=timezone.now()).attempt
    wait_until(Attempt.objects.running().exists, 10)
    start_worker("second")
    first.kill()
    wait_until(all_done, 40)
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.score, attempt.claims) == ("graded", 10, 2)
    assert attempt.worker_name == "second/0"
    assert ScoreEntry.objects.count() == 1


def test_one_slot_killed_is_replaced_and_the_attempt_graded(
    cast: Cast, start_worker: StartWorker
) -> None:
    worker = start_worker()
    wait_until(ready, 30)
    hand_in(cast, answers=SLOW, now=timezone.now())
    wait_until(Attempt.objects.running().exists, 10)
    slot = next(pid for pid in worker.family() if _parent(pid) == worker.process.pid)
    os.kill(slot, signal.SIGKILL)
    wait_until(all_done, 60)
    assert Attempt.objects.get().score == 10
    assert ScoreEntry.objects.count() == 1


def test_asked_to_stop_it_finishes_what_it_is_grading_and_takes_nothing_more(
    cast: Cast, start_worker: StartWorker
) -> None:
    worker = start_worker()
    wait_until(ready, 30)
    first = hand_in(cast, answers=SLOW, now=timezone.now()).attempt
    second = hand_in(cast, answers=SLOW, now=timezone.now()).attempt
    wait_until(Attempt.objects.running().exists, 10)
    family = worker.family()
    worker.process.terminate()
    worker.process.wait(20)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("done", "queued")
    wait_until(lambda: gone(family), 5)


def test_a_second_signal_ends_it_at_once(cast: Cast, start_worker: StartWorker) -> None:
    worker = start_worker()
    wait_until(ready, 30)
    attempt = hand_in(cast, answers=SLOW, now=timezone.now()).attempt
    wait_until(Attempt.objects.running().exists, 10)
    family = worker.family()
    worker.process.terminate()
    time.sleep(0.3)
    worker.process.terminate()
    worker.process.wait(3)
    wait_until(lambda: gone(family), 5)
    attempt.refresh_from_db()
    assert attempt.state == "running"  # its lease runs out, or its successor gives it back


def test_with_the_broker_down_attempts_are_graded_all_the_same(
    cast: Cast, start_worker: StartWorker
) -> None:
    start_worker(REDIS_URL="redis://127.0.0.1:9/0")
    hand_in(cast, now=timezone.now())
    time.sleep(0.1)
    wait_until(all_done, 40)


def test_without_a_token_it_says_what_to_do(start_worker: StartWorker) -> None:
    worker = start_worker(GRADUS_WORKER_TOKEN="")
    assert worker.process.wait(30) != 0
    assert "manage.py worker_token create" in worker.log.read_text()


def test_without_a_wall_it_refuses_to_start(start_worker: StartWorker, tmp_path: Path) -> None:
    worker = start_worker(GRADUS_ZYGOTE_NUMPY_PYTHON=str(tmp_path / "no-python"))
    assert worker.process.wait(30) != 0
    assert "This worker does not start" in worker.log.read_text()
    assert not Worker.objects.exists()


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_the_slots_of_a_worker_share_their_zygotes(cast: Cast, start_worker: StartWorker) -> None:
    worker = start_worker(GRADUS_WORKER_SLOTS="2", GRADUS_WALL="local")
    wait_until(lambda: Worker.objects.count() == 2, 60)
    for _ in range(2):
        hand_in(cast, now=timezone.now())
    wait_until(all_done, 30)
    kinds = []
    for pid in worker.family():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if any(word.endswith(b"inside/zygote.py") for word in words):
            kinds.append(words[7:])
    assert kinds
    assert len(kinds) == len({tuple(kind) for kind in kinds}), "one of each kind"


def test_a_worker_without_a_wall_says_so_and_its_grades_carry_it(
    cast: Cast, start_worker: StartWorker, tmp_path: Path
) -> None:
    start_worker(GRADUS_UNSAFE_NO_SANDBOX="1", GRADUS_WALL="")
    wait_until(ready, 60)
    assert Worker.objects.get().unsafe
    assert Worker.objects.get().wall == "none"
    attempt = hand_in(cast, now=timezone.now()).attempt
    wait_until(all_done, 30)
    attempt.refresh_from_db()
    assert (attempt.score, attempt.wall, attempt.unsafe) == (10, "none", True)
    assert "grading_without_a_wall" in (tmp_path / "worker.log").read_text()
