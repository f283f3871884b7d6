"""Handing in: stored once, numbered, refused with a reason, and never dependent on the broker."""

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from kombu import Connection
from redis import Redis

from campus.assignments.models import Assignment
from campus.celery import app
from campus.submissions.errors import (
    LabMissingError,
    NotReleasedError,
    PastCutOffError,
    TooLargeError,
    UnreadableAnswersError,
)
from campus.submissions.models import Attempt, Submission
from labs.catalog import read_answers, student_notebook
from tests.cast import NOW, RIGHT, Cast, hand_in

KEY = "a-key-of-the-browser"


def submit_url(cast: Cast) -> str:
    return reverse("submissions:submit", args=[cast.course.slug, cast.assignment.slug])


def body(**changes: object) -> str:
    return json.dumps({"answers": RIGHT, "idempotency_key": KEY, "draft_revision": 3} | changes)


@pytest.fixture
def student(cast: Cast, client: Client) -> Client:
    client.force_login(cast.student)
    return client


def test_what_is_stored_is_the_canonical_notebook_and_its_fingerprint(cast: Cast) -> None:
    submission = hand_in(cast).submission
    assert submission.notebook.encode() == student_notebook(cast.lab, RIGHT)
    assert read_answers(cast.lab, submission.notebook) == RIGHT
    assert submission.lab_hash == cast.lab.content_hash
    assert submission.number == 1


def test_a_queued_attempt_comes_with_it(cast: Cast) -> None:
    submitted = hand_in(cast)
    assert submitted.attempt.state == Attempt.State.QUEUED
    assert submitted.attempt.queued_at == NOW
    assert submitted.created


def test_submissions_are_numbered_by_student(cast: Cast) -> None:
    assert [hand_in(cast).submission.number for _ in range(3)] == [1, 2, 3]
    assert hand_in(cast, who=cast.assistant).submission.number == 1


def test_the_same_key_gives_the_same_submission_again(cast: Cast) -> None:
    first, again = hand_in(cast, key=KEY), hand_in(cast, key=KEY, answers={})
    assert again.submission == first.submission
    assert again.attempt == first.attempt
    assert again.receipt == first.receipt
    assert not again.created
    assert Submission.objects.count() == Attempt.objects.count() == 1


def test_a_retry_after_the_cut_off_still_finds_what_was_in_time(cast: Cast) -> None:
    first = hand_in(cast, key=KEY)
    Assignment.objects.update(cut_off_at=NOW + timedelta(days=8))
    cast.assignment.refresh_from_db()
    late = NOW + timedelta(days=9)
    assert hand_in(cast, key=KEY, now=late).submission == first.submission
    with pytest.raises(PastCutOffError, match="closed on 28 February 2025 at 20:00"):
        hand_in(cast, now=late)


def test_an_uploaded_notebook_is_brought_into_the_canonical_form(cast: Cast) -> None:
    from campus.submissions.submit import submit_notebook

    loose = json.dumps(json.loads(student_notebook(cast.lab, RIGHT)), indent=4).encode()
    submitted = submit_notebook(
        enrolment=cast.enrolment(cast.student),
        assignment=cast.assignment,
        notebook=loose,
        idempotency_key=KEY,
        now=NOW,
    )
    assert submitted.submission.notebook.encode() == student_notebook(cast.lab, RIGHT)


def test_an_unreleased_assignment_is_refused_to_students_and_open_to_staff(cast: Cast) -> None:
    before = NOW - timedelta(days=30)
    with pytest.raises(NotReleasedError, match="has not been released yet"):
        hand_in(cast, now=before)
    assert hand_in(cast, who=cast.instructor, now=before).created


def test_a_notebook_that_is_too_large_is_refused(cast: Cast) -> None:
    with pytest.raises(TooLargeError, match="larger than 5 MiB"):
        hand_in(cast, answers={"double": "#" * (5 * 1024 * 1024 + 1)})
    assert not Submission.objects.exists()


def test_an_answer_for_no_cell_of_the_lab_is_refused(cast: Cast) -> None:
    with pytest.raises(UnreadableAnswersError, match="nowhere"):
        hand_in(cast, answers={"nowhere": "x"})


def test_half_a_character_is_refused(cast: Cast) -> None:
    with pytest.raises(UnreadableAnswersError):
        hand_in(cast, answers=RIGHT | {"double": "x = '\ud800'"})


def test_a_missing_lab_is_our_fault(cast: Cast) -> None:
    cast.assignment.lab = "gone"
    with pytest.raises(LabMissingError, match="our fault"):
        hand_in(cast)


@pytest.mark.django_db(transaction=True)
def test_twenty_tabs_at_the_same_instant_get_twenty_numbers(cast: Cast) -> None:
    def one(_: int) -> int:
        try:
            return hand_in(cast).submission.number
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as tabs:
        assert sorted(tabs.map(one, range(20))) == list(range(1, 21))


@pytest.mark.django_db(transaction=True)
def test_the_same_click_sent_five_times_at_once_is_one_submission(cast: Cast) -> None:
    def one(_: int) -> uuid.UUID:
        try:
            return hand_in(cast, key=KEY).submission.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as clicks:
        assert len(set(clicks.map(one, range(5)))) == 1
    assert Submission.objects.count() == Attempt.objects.count() == 1


def test_the_view_answers_with_the_addresses_of_what_was_stored(
    cast: Cast, student: Client
) -> None:
    Assignment.objects.update(due_at=None)
    answer = student.post(submit_url(cast), body(), content_type="application/json")
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert told["number"] == 1
    for name in ("receipt_url", "status_url", "detail_url"):
        assert student.get(told[name]).status_code == 200, name
    again = student.post(submit_url(cast), body(), content_type="application/json")
    assert again.status_code == 200
    assert again.json() == told


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ("not json", 422, "invalid"),
        (body(idempotency_key="short"), 422, "invalid"),
        (body(answers={"double": 5}), 422, "invalid"),
        (body(surprise=1), 422, "invalid"),
        (body(answers={"nowhere": "x"}), 422, "unreadable"),
        (body(answers={"double": "#" * (5 * 1024 * 1024 + 1)}), 413, "too_large"),
        (body(answers={"double": "#" * (7 * 1024 * 1024)}), 413, "too_large"),
    ],
)
def test_the_view_says_why_nothing_was_stored(
    cast: Cast, student: Client, sent: str, status: int, code: str
) -> None:
    answer = student.post(submit_url(cast), sent, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"].endswith(".")
    assert not Submission.objects.exists()


def test_submitting_needs_the_csrf_token(cast: Cast) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.student)
    answer = strict.post(submit_url(cast), body(), content_type="application/json")
    assert answer.status_code == 403
    assert not Submission.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_nudge_goes_to_the_workers_once_the_submission_is_stored(
    cast: Cast, redis_server: "Redis"
) -> None:
    submitted = hand_in(cast)
    assert redis_server.llen("cpu") == 1
    with Connection(app.conf.broker_url) as broker:
        message = broker.SimpleQueue("cpu").get(timeout=2)
    assert message.headers["task"] == "gpu_workers.grade_next"
    assert message.payload[1] == {"attempt": str(submitted.attempt.pk)}


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_submission_succeeds_quickly(cast: Cast, student: Client) -> None:
    began = time.perf_counter()
    for number in range(3):
        sent = body(idempotency_key=f"key-number-{number}")
        answer = student.post(submit_url(cast), sent, content_type="application/json")
        assert answer.status_code == 201
    assert time.perf_counter() - began < 3
    assert Attempt.objects.queued().count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_never_answers_costs_less_than_a_second(
    cast: Cast, student: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    from campus.submissions import nudge as nudging

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        monkeypatch.setattr(nudging, "app", _app_for(url))
        began = time.perf_counter()
        answer = student.post(submit_url(cast), body(), content_type="application/json")
        assert answer.status_code == 201
        assert time.perf_counter() - began < 1.2


def _app_for(url: str):
    from celery import Celery

    deaf = Celery("deaf", broker=url, set_as_current=False)
    deaf.conf.update(
        task_publish_retry=False,
        broker_connection_timeout=app.conf.broker_connection_timeout,
        broker_transport_options=app.conf.broker_transport_options,
        task_ignore_result=True,
    )
    return deaf
