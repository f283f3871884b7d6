"""The live view: everything in order, nothing twice, nothing hidden, with and without Redis."""

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from django.db import connections
from django.test import AsyncClient, Client
from django.urls import reverse
from redis import Redis

from campus.submissions import lease, streaming, waiting
from campus.submissions.feedback import OWN_EXCEPTION
from campus.submissions.lease import Claimed
from campus.submissions.live import EventWriter, read_snapshot
from campus.submissions.models import Attempt, CheckResult
from campus.workers.handout import take_report
from grader.api import CheckResult as CheckMessage
from grader.api import ElementDifference, ExceptionInfo, TraceLine, Verdict
from tests.cast import NOW, SECOND, Cast, another_student, claim_next, hand_in, report_on, result_of

pytestmark = pytest.mark.django_db
LATER = NOW + SECOND * 2


@dataclass(frozen=True)
class Event:
    id: int
    name: str
    data: dict[str, Any]


def parsed(text: str) -> Event:
    fields = dict(line.split(": ", 1) for line in text.strip().split("\n"))
    return Event(int(fields["id"]), fields["event"], json.loads(fields["data"]))


@pytest.fixture(autouse=True)
def _nothing_known_from_earlier_tests() -> None:
    waiting._orders.clear()
    waiting._usual.clear()


def events_after(attempt: Attempt, last_id: int = 0, *, staff: bool = False) -> list[Event]:
    writer = EventWriter(last_id)
    snapshot = read_snapshot(attempt.pk, staff=staff, now=LATER, after_key=writer.after_key)
    return [parsed(text) for text in writer.events(snapshot)]


def claim(cast: Cast) -> Claimed:
    claimed = claim_next(cast)
    assert claimed is not None
    return claimed


def tell(cast: Cast, claimed: Claimed, *results: CheckMessage) -> None:
    lease.check_done(
        attempt_id=claimed.attempt.pk,
        lease_token=claimed.lease_token,
        results=results,
        lab=cast.lab,
        now=LATER,
    )


def finish(cast: Cast, claimed: Claimed) -> None:
    report = report_on(claimed.attempt.submission, cast.lab, failed=("some_root",))
    take_report(claimed.attempt.pk, claimed.lease_token, report, LATER)


def test_a_finished_attempt_tells_verdicts_then_score_then_end(cast: Cast) -> None:
    hand_in(cast)
    claimed = claim(cast)
    finish(cast, claimed)
    events = events_after(claimed.attempt)
    assert [e.name for e in events] == ["result"] * 4 + ["state", "score", "end"]
    assert events[-2].data == {
        "score": "6.000",
        "max_score": "10.000",
        "verdict_counts": {"passed": 3, "failed": 1},
    }
    assert events[-3].data["state"] == "done"


def test_ids_grow_and_a_stream_continues_where_it_broke_off(cast: Cast) -> None:
    hand_in(cast)
    claimed = claim(cast)
    tell(cast, claimed, result_of(cast.lab, "doubles"))
    first = events_after(claimed.attempt)
    assert [e.name for e in first] == ["state", "result"]
    finish(cast, claimed)
    rest = events_after(claimed.attempt, first[-1].id)
    assert [e.data.get("check") for e in rest if e.name == "result"] == [
        "totals",
        "totals_hidden",
        "some_root",
    ]
    ids = [e.id for e in first + rest]
    assert ids == sorted(set(ids))
    for cut in range(len(rest)):
        again = events_after(claimed.attempt, rest[cut].id)
        seen = {e.data["check"] for e in rest[: cut + 1] if e.name == "result"}
        told = {e.data["check"] for e in again if e.name == "result"}
        assert not seen & told
        assert again[-1].name == "end"


def test_results_of_a_lost_lease_come_again_under_higher_ids(cast: Cast) -> None:
    hand_in(cast)
    claimed = claim(cast)
    tell(cast, claimed, result_of(cast.lab, "doubles"))
    last = events_after(claimed.attempt)[-1].id
    lease.requeue(Attempt.objects.running(), LATER)
    assert [e.data["state"] for e in events_after(claimed.attempt, last)] == ["queued"]
    tell(cast, claim(cast), result_of(cast.lab, "doubles"))
    again = [e for e in events_after(claimed.attempt, last) if e.name == "result"]
    assert [e.data["check"] for e in again] == ["doubles"]
    assert again[0].id > last


def telling_result(cast: Cast, name: str, type_name: str) -> CheckMessage:
    return result_of(cast.lab, name, Verdict.ERROR).model_copy(
        update={
            "points": Decimal(0),
            "message": "SECRET",
            "hint": "Think.",
            "difference": ElementDifference(path="y", got="SECRET", expected="SECRET"),
            "inputs": "x = SECRET",
            "exception": ExceptionInfo(
                type=type_name, text="SECRET", trace=(TraceLine(cell="c", line=1, source="SECRET"),)
            ),
            "stdout": "SECRET",
            "seconds": 1.25,
            "trials_passed": 3,
        }
    )


@pytest.mark.parametrize(
    ("type_name", "shown"),
    [
        ("ValueError", "ValueError"),
        ("SECRET", OWN_EXCEPTION),
        ("SECRET.ValueError", "ValueError"),  # a class may be given any text for a name
    ],
)
def test_of_a_hidden_check_a_student_sees_name_hint_verdict_and_exception_type(
    cast: Cast, type_name: str, shown: str
) -> None:
    hand_in(cast)
    claimed = claim(cast)
    tell(cast, claimed, telling_result(cast, "totals_hidden", type_name))
    [result] = [e.data for e in events_after(claimed.attempt) if e.name == "result"]
    assert "SECRET" not in json.dumps(result)
    assert (result["check"], result["hint"], result["verdict"]) == (
        "totals_hidden",
        "Think.",
        "error",
    )
    assert result["exception"]["type"] == shown
    assert (result["seconds"], result["trials_passed"]) == (0.0, 0)
    CheckMessage.model_validate(result)  # the shape stays that of the protocol


def test_staff_see_all_of_a_hidden_check_and_students_all_of_a_visible_one(cast: Cast) -> None:
    hand_in(cast)
    claimed = claim(cast)
    tell(cast, claimed, telling_result(cast, "totals_hidden", "SECRET"))
    tell(cast, claimed, telling_result(cast, "totals", "ValueError"))
    staff = json.dumps([e.data for e in events_after(claimed.attempt, staff=True)])
    assert staff.count("x = SECRET") == 2
    student = json.dumps([e.data for e in events_after(claimed.attempt)])
    assert student.count("x = SECRET") == 1


def test_neither_page_nor_status_tells_a_student_more(cast: Cast, client: Client) -> None:
    submission = hand_in(cast).submission
    tell(cast, claim(cast), telling_result(cast, "totals_hidden", "SECRET"))
    for user, secret in ((cast.student, False), (cast.assistant, True)):
        client.force_login(user)
        for name in ("status", "detail"):
            address = reverse(f"submissions:{name}", args=[cast.course.slug, submission.pk])
            assert ("SECRET" in client.get(address).content.decode()) is secret, (user, name)


def test_the_place_in_the_queue_follows_the_order_of_claims(cast: Cast) -> None:
    other = another_student(cast, "other")
    mine = [hand_in(cast, now=NOW + SECOND * n).attempt for n in range(3)]
    theirs = hand_in(cast, who=other, now=NOW + SECOND * 10).attempt
    places = {
        attempt: read_snapshot(attempt.pk, staff=False, now=LATER).state["position"]
        for attempt in [*mine, theirs]
    }
    assert [places[a] for a in [mine[0], theirs, mine[1], mine[2]]] == [1, 2, 3, 4]


def test_how_long_it_takes_is_not_made_up(cast: Cast) -> None:
    waiting = hand_in(cast).attempt
    assert read_snapshot(waiting.pk, staff=False, now=LATER).state["eta_seconds"] is None


def test_how_long_it_takes_comes_from_recent_attempts(cast: Cast) -> None:
    for n in range(8):
        attempt = hand_in(cast).attempt
        Attempt.objects.filter(pk=attempt.pk).update(
            state="done",
            outcome="graded",
            score=1,
            max_score=10,
            claimed_at=NOW,
            finished_at=NOW + SECOND * (2 + n % 2),
        )
    hand_in(cast)
    claim(cast)
    waiting = hand_in(cast).attempt
    low, high = read_snapshot(waiting.pk, staff=False, now=LATER).state["eta_seconds"]
    assert 2 <= low <= 3 < high <= 6


def test_time_passing_is_no_news_by_itself(cast: Cast) -> None:
    for _ in range(5):
        attempt = hand_in(cast).attempt
        Attempt.objects.filter(pk=attempt.pk).update(
            state="done",
            outcome="graded",
            score=1,
            max_score=10,
            claimed_at=NOW,
            finished_at=NOW + SECOND * 9,
        )
    hand_in(cast)
    running = claim(cast).attempt
    writer, told = EventWriter(), []
    for seconds in range(5):
        snapshot = read_snapshot(running.pk, staff=False, now=LATER + SECOND * seconds)
        told += [
            (parsed(text).name, snapshot.state["eta_seconds"]) for text in writer.events(snapshot)
        ]
    assert told == [("state", [8.0, 8.0])]


# --- the stream itself


async def stream_of(client: AsyncClient, address: str, **headers: str) -> AsyncIterator[Event]:
    answer = await client.get(address, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/event-stream"
    async for chunk in answer.streaming_content:
        if chunk.startswith(b"id:"):
            yield parsed(chunk.decode())


@sync_to_async(thread_sensitive=False)
def in_a_worker(cast: Cast, what: str, claimed: Claimed | None = None) -> Claimed:
    """A worker's request in a thread of its own, as in life."""
    try:
        claimed = claimed or claim(cast)
        if what == "tell":
            tell(cast, claimed, result_of(cast.lab, "doubles"))
        if what == "finish":
            finish(cast, claimed)
    finally:
        connections.close_all()
    return claimed


async def whole_way(cast: Cast, client: AsyncClient, address: str) -> list[tuple[str, float]]:
    """Claims, tells and finishes while somebody watches; what they saw, and how long after."""
    loop = asyncio.get_running_loop()
    happened, seen = loop.time(), []
    claimed: Claimed | None = None
    async for event in stream_of(client, address):
        what = event.data.get("state") or event.data.get("check") or event.name
        seen.append((what, loop.time() - happened))
        step = {"queued": "claim", "running": "tell", "doubles": "finish"}.get(what)
        if step:
            await asyncio.sleep(0.3)  # let the stream fall asleep
            claimed = await in_a_worker(cast, step, claimed)
            happened = loop.time()
    return seen


STORY = ["queued", "running", "doubles"]
STORY += ["totals", "totals_hidden", "some_root", "done", "score", "end"]


@pytest.mark.django_db(transaction=True)
async def test_every_step_is_seen_at_once(
    cast: Cast, async_client: AsyncClient, redis_server: "Redis"
) -> None:
    submission = (await sync_to_async(hand_in)(cast)).submission
    await sync_to_async(async_client.force_login)(cast.student)
    address = reverse("submissions:events", args=[cast.course.slug, submission.pk])
    seen = await asyncio.wait_for(whole_way(cast, async_client, address), 30)
    assert [what for what, _ in seen] == STORY
    assert max(waited for what, waited in seen if what in ("running", "doubles", "totals")) < 0.5


@pytest.mark.django_db(transaction=True)
async def test_without_redis_every_step_is_still_seen(
    cast: Cast, async_client: AsyncClient
) -> None:
    submission = (await sync_to_async(hand_in)(cast)).submission
    await sync_to_async(async_client.force_login)(cast.student)
    address = reverse("submissions:events", args=[cast.course.slug, submission.pk])
    seen = await asyncio.wait_for(whole_way(cast, async_client, address), 30)
    assert [what for what, _ in seen] == STORY
    assert max(waited for _, waited in seen) < 2


@pytest.mark.django_db(transaction=True)
async def test_a_stream_ends_in_time_and_goes_on_after_the_last_event(
    cast: Cast, async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = (await sync_to_async(hand_in)(cast)).submission
    await sync_to_async(async_client.force_login)(cast.student)
    address = reverse("submissions:events", args=[cast.course.slug, submission.pk])
    claimed = await in_a_worker(cast, "tell")
    monkeypatch.setattr(streaming, "STREAM_SECONDS", 0.3)
    first = [event async for event in stream_of(async_client, address)]
    assert [event.name for event in first] == ["state", "result"]
    await in_a_worker(cast, "finish", claimed)
    last = {"Last-Event-ID": str(first[-1].id)}
    rest = [event async for event in stream_of(async_client, address, **last)]
    assert "doubles" not in [event.data.get("check") for event in rest]
    assert rest[-1].name == "end"


@pytest.mark.django_db(transaction=True)
async def test_a_silent_stream_keeps_proxies_awake(
    cast: Cast, async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = (await sync_to_async(hand_in)(cast)).submission
    await sync_to_async(async_client.force_login)(cast.student)
    monkeypatch.setattr(streaming, "SILENCE_SECONDS", 0.1)
    monkeypatch.setattr(streaming, "STREAM_SECONDS", 1.2)
    answer = await async_client.get(
        reverse("submissions:events", args=[cast.course.slug, submission.pk])
    )
    text = b"".join([chunk async for chunk in answer.streaming_content])
    assert b": still here\n\n" in text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("last", ["", "-1", "abc", "9" * 40, "１２"])
async def test_a_strange_last_event_id_is_no_trouble(
    cast: Cast, async_client: AsyncClient, last: str
) -> None:
    submission = (await sync_to_async(hand_in)(cast)).submission
    await sync_to_async(async_client.force_login)(cast.student)
    await in_a_worker(cast, "finish")
    address = reverse("submissions:events", args=[cast.course.slug, submission.pk])
    answer = await async_client.get(address, {"last_event_id": last})
    text = b"".join([chunk async for chunk in answer.streaming_content])
    assert text.count(b"event: result") == await CheckResult.objects.acount() == 4


@pytest.mark.django_db(transaction=True)
async def test_thirty_sleeping_streams_hold_neither_threads_nor_connections(
    cast: Cast, async_client: AsyncClient, redis_server: "Redis"
) -> None:
    submission = (await sync_to_async(hand_in)(cast)).submission
    await sync_to_async(async_client.force_login)(cast.student)
    address = reverse("submissions:events", args=[cast.course.slug, submission.pk])
    cookie = f"sessionid={async_client.cookies['sessionid'].value}".encode()
    site = get_asgi_application()
    database = str(connections["default"].settings_dict["NAME"])
    before, open_before = threading.active_count(), len(_open_files(database))
    streams = []
    for _ in range(30):
        scope = {
            "type": "http",
            "method": "GET",
            "path": address,
            "query_string": b"",
            "headers": [(b"cookie", cookie), (b"host", b"testserver")],
        }
        stream = ApplicationCommunicator(site, scope)
        streams.append(stream)
        await stream.send_input({"type": "http.request", "body": b"", "more_body": False})
        assert (await stream.receive_output(10))["status"] == 200
        while b"event: state" not in (await stream.receive_output(10))["body"]:
            pass
    await asyncio.sleep(0.5)
    # What is left is the event loop's own small pool, which all streams share.
    assert threading.active_count() - before <= min(32, (os.cpu_count() or 1) + 4) + 2
    assert len(_open_files(database)) - open_before <= 3  # one read that is just going on
    for stream in streams:
        await stream.send_input({"type": "http.disconnect"})
        await stream.wait(10)


@pytest.mark.django_db(transaction=True)
async def test_one_person_opens_only_so_many_streams(
    cast: Cast, async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = (await sync_to_async(hand_in)(cast)).submission
    await sync_to_async(async_client.force_login)(cast.student)
    address = reverse("submissions:events", args=[cast.course.slug, submission.pk])
    monkeypatch.setattr(streaming, "STREAMS_OF_ONE_PERSON", 2)
    watching = [stream_of(async_client, address) for _ in range(2)]
    for stream in watching:
        assert (await anext(stream)).name == "state"
    assert (await async_client.get(address)).status_code == 429
    staff = AsyncClient()
    await sync_to_async(staff.force_login)(cast.assistant)
    seen_by_staff = stream_of(staff, address)
    assert (await anext(seen_by_staff)).name == "state"
    await in_a_worker(cast, "finish")
    for stream in [*watching, seen_by_staff]:
        assert [event.name async for event in stream][-1] == "end"
    assert not streaming._open
    assert (await async_client.get(address)).status_code == 200


def _open_files(name: str) -> list[str]:
    """What this process has open of the database: empty for one that is no file."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(entry.readlink()))
        except OSError:
            continue
    return [path for path in found if path.startswith(name)]
