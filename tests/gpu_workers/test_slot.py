"""A slot against a real campus; only the grader is played, so that it can fail in every way."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from campus.submissions.models import Attempt
from campus.workers.models import Worker
from campus.workers.tokens import create_token
from gpu_workers import slots
from gpu_workers.client import CampusClient
from gpu_workers.settings import WorkerSettings
from gpu_workers.slots import Slot
from grader.api import GradingReport, GradingRequest
from grader.errors import Cancelled, GraderError, WallError
from tests.cast import Cast, hand_in, report_on

pytestmark = pytest.mark.django_db(transaction=True)


class NoSandbox:
    """Stands where the wall would; the played grader does not need one."""

    wall, unsafe = "local", False

    def open_jail(self, zygote: str, limits: object) -> object:
        raise NotImplementedError

    def close(self) -> None:
        pass


MakeSlot = Callable[..., Slot]


@pytest.fixture
def make_slot(cast: Cast, live_server: LiveServer) -> Iterator[MakeSlot]:
    """Slots of one host; each is closed at the end."""
    token, made = create_token("host"), []

    def make(grade: Callable[..., GradingReport], **settings: object) -> Slot:
        values = {"worker_name": "host", "idle_poll_seconds": 0.5} | settings
        slot = Slot(
            WorkerSettings(**values),
            CampusClient(live_server.url, token),
            NoSandbox(),
            grade=grade,
        )
        made.append(slot)
        return slot

    yield make
    for slot in made:
        slot.close()


def honest(cast: Cast) -> Callable[..., GradingReport]:
    """Grades as the real grader would."""

    def grade(request: GradingRequest, *, on_result, cancelled, sandbox) -> GradingReport:
        attempt = Attempt.objects.get(pk=request.attempt)
        report = report_on(attempt.submission, cast.lab)
        for result in report.results:
            on_result(result)
        return report.model_copy(update={"attempt": request.attempt})

    return grade


def queued(cast: Cast) -> Attempt:
    return hand_in(cast, now=timezone.now()).attempt


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def test_a_nudge_grades_until_nothing_is_left(cast: Cast, make_slot: MakeSlot) -> None:
    for _ in range(3):
        queued(cast)
    slot = make_slot(honest(cast))
    assert slot.work() == 3
    assert slot.work() == 0
    assert list(Attempt.objects.values_list("outcome", "score")) == [("graded", 10)] * 3


def test_without_any_nudge_an_idle_slot_finds_the_work(cast: Cast, make_slot: MakeSlot) -> None:
    make_slot(honest(cast)).start()
    attempt = queued(cast)
    wait_until(lambda: Attempt.objects.get(pk=attempt.pk).state == "done")


def test_an_exception_becomes_an_internal_error_with_a_reference(
    cast: Cast, make_slot: MakeSlot
) -> None:
    def broken(request: GradingRequest, **_: object) -> GradingReport:
        raise GraderError("the zygote is gone")

    queued(cast)
    assert make_slot(broken).work() == 1
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.internal_errors) == ("queued", 1)
    assert attempt.failure == "the zygote is gone"
    assert len(attempt.reference_number) == 8


def test_what_another_exception_says_stays_in_the_log(cast: Cast, make_slot: MakeSlot) -> None:
    def broken(request: GradingRequest, **_: object) -> GradingReport:
        raise ValueError("text of a student")

    queued(cast)
    make_slot(broken).work()
    assert Attempt.objects.get().failure == "ValueError"


def test_a_slot_that_fails_rests_so_that_a_healthy_one_can_take_over(
    cast: Cast, make_slot: MakeSlot
) -> None:
    def broken(request: GradingRequest, **_: object) -> GradingReport:
        raise GraderError("out of order")

    queued(cast)
    sick, healthy = make_slot(broken), make_slot(honest(cast), worker_name="healthy")
    assert sick.work() == 1
    assert sick.work() == 0
    assert healthy.work() == 1
    assert Attempt.objects.get().outcome == "graded"


def test_a_report_that_campus_refuses_becomes_an_internal_error(
    cast: Cast, make_slot: MakeSlot
) -> None:
    def forgetful(request: GradingRequest, **grading: object) -> GradingReport:
        report = honest(cast)(request, **grading)
        return report.model_copy(update={"results": report.results[:-1]})

    queued(cast)
    make_slot(forgetful).work()
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.internal_errors) == ("queued", 1)
    assert "No result for some_root" in attempt.failure


def test_a_cancelled_attempt_is_dropped_at_the_next_heartbeat(
    cast: Cast, make_slot: MakeSlot, settings
) -> None:
    from campus.submissions.lease import cancel

    settings.GRADUS_HEARTBEAT_SECONDS = 1
    started = threading.Event()

    def patient(request: GradingRequest, *, cancelled: threading.Event, **_: object):
        started.set()
        assert cancelled.wait(10)
        raise Cancelled

    attempt = queued(cast)
    slot = make_slot(patient)
    working = threading.Thread(target=slot.work)
    working.start()
    assert started.wait(5)
    cancel(attempt.pk, timezone.now())
    working.join(5)
    assert not working.is_alive()
    assert Attempt.objects.get().state == "cancelled"


def test_a_busy_slot_answers_a_nudge_at_once(cast: Cast, make_slot: MakeSlot) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow(request: GradingRequest, **grading: object) -> GradingReport:
        started.set()
        go_on.wait(10)
        return honest(cast)(request, **grading)

    queued(cast)
    queued(cast)
    slot = make_slot(slow)
    working = threading.Thread(target=slot.work)
    working.start()
    assert started.wait(5)
    assert slot.work() == 0
    go_on.set()
    working.join(10)
    assert Attempt.objects.filter(outcome="graded").count() == 2


def test_a_slot_that_was_asked_to_stop_claims_nothing_more(cast: Cast, make_slot: MakeSlot) -> None:
    slot = make_slot(honest(cast))
    slot._stopping = lambda: True
    queued(cast)
    assert slot.work() == 0
    assert Attempt.objects.get().state == "queued"


def test_of_two_slots_with_one_name_the_first_takes_another(
    cast: Cast, make_slot: MakeSlot
) -> None:
    first, second = make_slot(honest(cast)), make_slot(honest(cast))
    first.start()
    second.start()
    wait_until(lambda: Worker.objects.count() == 2)
    assert first.name == f"host/0-{first.boot[:6]}"
    assert second.name == "host/0"


def test_an_edited_lab_is_offered_in_its_new_version(
    cast: Cast, make_slot: MakeSlot, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    folder = shutil.copytree(cast.lab.folder, tmp_path / "tiny")
    monkeypatch.setenv("GRADUS_LABS_PATH", str(tmp_path))
    slot = make_slot(honest(cast))
    before = slot.offered_labs()["tiny"].content_hash
    with (folder / "checks.py").open("a") as checks:
        checks.write("\n# a remark\n")
    assert slot.offered_labs()["tiny"].content_hash != before


def test_a_broken_lab_does_not_take_the_others_away(
    cast: Cast, make_slot: MakeSlot, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    folder = shutil.copytree(cast.lab.folder, tmp_path / "tiny")
    monkeypatch.setenv("GRADUS_LABS_PATH", str(tmp_path))
    slot = make_slot(honest(cast))
    assert {"tiny", "autodiff"} <= set(slot.offered_labs())
    (folder / "lab.toml").write_text("broken = ")
    assert "autodiff" in slot.offered_labs()
    assert "tiny" not in slot.offered_labs()


def test_labs_whose_zygote_does_not_warm_up_are_not_offered(
    cast: Cast, make_slot: MakeSlot, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    folder = shutil.copytree(cast.lab.folder, tmp_path / "tensors")
    settings = (folder / "lab.toml").read_text()
    (folder / "lab.toml").write_text(settings.replace('"numpy"', '"torch"'))
    shutil.copytree(cast.lab.folder, tmp_path / "tiny")
    monkeypatch.setenv("GRADUS_LABS_PATH", str(tmp_path))
    slot, asked = make_slot(honest(cast)), []

    class Closes:
        def close(self) -> None:
            pass

    def open_jail(kind: str, limits: object) -> Closes:
        asked.append(kind)
        if kind == "torch":
            raise WallError("torch cannot be imported")
        return Closes()

    monkeypatch.setattr(slot.sandbox, "open_jail", open_jail)
    assert {"tensors", "tiny"} <= set(slot.offered_labs())
    slot.warm_up()
    assert {"numpy", "torch"} <= set(asked)
    assert "torch-gpu" not in asked
    assert "tiny" in slot.offered_labs()
    assert "tensors" not in slot.offered_labs()


def test_its_rests_grow_and_end(cast: Cast) -> None:
    assert list(slots.SICK_SECONDS) == sorted(slots.SICK_SECONDS)
    assert slots.SICK_SECONDS[-1] <= 30
