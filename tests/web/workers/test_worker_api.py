"""The worker API as a worker meets it: tokens, closed messages, caps, and the whole way of an attempt."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from campus.gradebook.models import ScoreEntry
from campus.submissions.models import Attempt, CheckResult
from campus.workers.handout import seed
from campus.workers.models import Worker, WorkerToken
from campus.workers.tokens import create_token
from grader.api import Claim, Finish, GradingReport
from tests.cast import Cast, another_student, hand_in, report_on, result_of

pytestmark = pytest.mark.django_db
Post = Callable[..., HttpResponse]


@pytest.fixture
def token(db: None) -> str:
    return create_token("host")


@pytest.fixture
def post(client: Client, token: str) -> Post:
    """POST a message as the worker does."""

    def send(path: str, message: Any, *, bearer: str = token, **headers: str) -> HttpResponse:
        text = message if isinstance(message, str | bytes) else _json(message)
        return client.post(
            f"/api/workers/v1/{path}",
            text,
            content_type="application/json",
            headers={"Authorization": f"Bearer {bearer}"} | headers,
        )

    return send


def _json(message: Any) -> str:
    return message.model_dump_json() if hasattr(message, "model_dump_json") else json.dumps(message)


def announcement(cast: Cast, **changes: object) -> dict[str, object]:
    facts: dict[str, object] = {
        "name": "host/0",
        "boot": "b" * 32,
        "capabilities": ["cpu"],
        "labs": {cast.lab.slug: cast.lab.content_hash},
        "wall": "local",
    }
    return facts | changes


def claim(post: Post, cast: Cast, **changes: object) -> Claim | None:
    answer = post("claim", announcement(cast, **changes))
    assert answer.status_code in (200, 204), answer.content
    return Claim.model_validate_json(answer.content) if answer.status_code == 200 else None


def claimed(post: Post, cast: Cast, **changes: object) -> Claim:
    found = claim(post, cast, **changes)
    assert found is not None
    return found


def report(cast: Cast, taken: Claim, **changes: object) -> GradingReport:
    attempt = Attempt.objects.get(pk=taken.request.attempt)
    return report_on(attempt.submission, cast.lab, **changes).model_copy(
        update={"attempt": taken.request.attempt}
    )


def finish(post: Post, cast: Cast, taken: Claim, **changes: object) -> HttpResponse:
    sent = Finish(lease_token=taken.lease_token, report=report(cast, taken, **changes))
    return post(f"attempts/{taken.request.attempt}/finish", sent)


# --- the whole way


def test_an_attempt_goes_the_whole_way(cast: Cast, post: Post) -> None:
    submission = hand_in(cast, now=timezone.now()).submission
    taken = claimed(post, cast)
    assert taken.request.notebook == submission.notebook
    assert taken.request.submission_sha256 == submission.sha256
    path = f"attempts/{taken.request.attempt}"
    beat = post(f"{path}/heartbeat", {"lease_token": taken.lease_token})
    assert beat.json() == {"version": 1, "decision": "continue"}
    result = result_of(cast.lab, "doubles").model_dump(mode="json")
    told = post(f"{path}/results", {"lease_token": taken.lease_token, "results": [result]})
    assert told.status_code == 200
    assert CheckResult.objects.count() == 1
    ended = finish(post, cast, taken)
    assert ended.json() == {"version": 1, "state": "done", "outcome": "graded"}
    assert claim(post, cast) is None


def test_the_score_goes_into_the_ledger_once(cast: Cast, post: Post) -> None:
    hand_in(cast, now=timezone.now())
    taken = claimed(post, cast)
    finish(post, cast, taken, failed=("totals",))
    assert finish(post, cast, taken).status_code == 409
    entry = ScoreEntry.objects.get()
    assert (entry.score_before, entry.score_after, entry.max_score) == (None, 8, 10)
    assert entry.author is None
    assert entry.reason == "Submission 1 was graded."


def test_the_newest_submission_counts_also_when_an_older_one_is_graded_later(
    cast: Cast, post: Post
) -> None:
    for _ in range(3):
        hand_in(cast, now=timezone.now())
    first, second, third = (claimed(post, cast) for _ in range(3))
    finish(post, cast, first, failed=("totals",))
    finish(post, cast, third, failed=("some_root",))
    finish(post, cast, second)
    ledger = ScoreEntry.objects.order_by("pk").values_list("score_before", "score_after", "reason")
    assert list(ledger) == [
        (None, 8, "Submission 1 was graded."),
        (8, 6, "Submission 3 was graded."),
        (6, 6, "Submission 2 was graded; submission 3 counts."),
    ]


def test_a_failure_of_ours_leaves_the_ledger_alone(cast: Cast, post: Post) -> None:
    hand_in(cast, now=timezone.now())
    for _ in range(3):
        finish(post, cast, claimed(post, cast), results=(), failure="The wall fell down.")
    assert Attempt.objects.get().outcome == "internal_error"
    assert not ScoreEntry.objects.exists()


def test_the_seed_is_the_submissions_own_and_needs_the_courses_secret(
    cast: Cast, post: Post, settings
) -> None:
    hand_in(cast, now=timezone.now())
    request = claimed(post, cast).request
    known = (cast.course.slug, request.lab_hash, request.submission_sha256)
    assert request.seed == seed(*known)
    assert len({request.seed, seed("other", *known[1:]), seed(known[0], known[1], "f" * 64)}) == 3
    settings.GRADUS_COURSE_SECRET = "another secret of another site, long enough"
    assert request.seed != seed(*known)


def test_a_claim_brings_back_what_a_dead_worker_held(cast: Cast, post: Post) -> None:
    attempt = hand_in(cast, now=timezone.now()).attempt
    claimed(post, cast)
    Attempt.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    again = claimed(post, cast, name="other/0", boot="c" * 32)
    assert again.request.attempt == str(attempt.pk)


def test_a_worker_with_another_version_of_the_lab_gets_nothing(cast: Cast, post: Post) -> None:
    hand_in(cast, now=timezone.now())
    assert claim(post, cast, labs={cast.lab.slug: "0" * 64}) is None
    assert claim(post, cast, labs={}) is None
    assert claim(post, cast, labs={"unknown": "0" * 64}) is None


def test_a_lab_that_was_edited_while_it_waited_is_graded_in_its_new_version(
    cast: Cast, post: Post
) -> None:
    hand_in(cast, now=timezone.now())
    Attempt.objects.update(lab_hash="0" * 64)
    assert claimed(post, cast).request.lab_hash == cast.lab.content_hash


def test_a_lab_that_was_edited_while_it_was_graded_is_graded_again(cast: Cast, post: Post) -> None:
    hand_in(cast, now=timezone.now())
    taken = claimed(post, cast)
    Attempt.objects.update(lab_hash="0" * 64)
    assert finish(post, cast, taken).status_code == 409
    assert Attempt.objects.get().state == Attempt.State.QUEUED


# --- who is there


def test_an_announced_worker_is_remembered(cast: Cast, post: Post) -> None:
    assert post("announce", announcement(cast, software="gradus 1")).status_code == 200
    worker = Worker.objects.get()
    assert (worker.name, worker.wall, worker.unsafe) == ("host/0", "local", False)
    assert worker.token.name == "host"


def test_a_worker_that_was_started_again_gives_back_what_it_held(cast: Cast, post: Post) -> None:
    hand_in(cast, now=timezone.now())
    taken = claimed(post, cast)
    post("announce", announcement(cast, boot="c" * 32))
    assert Attempt.objects.get().state == Attempt.State.QUEUED
    again = claimed(post, cast, boot="c" * 32)
    assert finish(post, cast, taken).status_code == 409
    assert finish(post, cast, again).status_code == 200


def test_two_workers_of_one_name_find_out(cast: Cast, post: Post) -> None:
    post("announce", announcement(cast))
    post("announce", announcement(cast, boot="c" * 32))
    answer = post("announce", announcement(cast))
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    assert post("announce", announcement(cast, boot="c" * 32)).status_code == 200


def test_workers_of_different_hosts_may_have_the_same_name(cast: Cast, post: Post) -> None:
    other = create_token("other-host")
    hand_in(cast, now=timezone.now())
    claimed(post, cast)
    post("announce", announcement(cast, boot="c" * 32), bearer=other)
    assert Attempt.objects.get().state == Attempt.State.RUNNING
    assert Worker.objects.count() == 2


def test_a_worker_without_a_wall_is_refused_where_settings_forbid_it(
    cast: Cast, post: Post, settings
) -> None:
    settings.GRADUS_ALLOW_UNSAFE_WORKERS = False
    hand_in(cast, now=timezone.now())
    answer = post("claim", announcement(cast, wall="none", unsafe=True))
    assert (answer.status_code, answer.json()["code"]) == (403, "unsafe_worker")
    assert Attempt.objects.get().state == Attempt.State.QUEUED
    assert Worker.objects.get().unsafe  # an operator sees it all the same


def test_where_it_is_allowed_its_results_are_marked(cast: Cast, post: Post, settings) -> None:
    settings.GRADUS_ALLOW_UNSAFE_WORKERS = True
    hand_in(cast, now=timezone.now())
    taken = claimed(post, cast, wall="none", unsafe=True)
    finish(post, cast, taken, wall="none", unsafe=False)
    assert Attempt.objects.get().unsafe


# --- who is turned away


PATHS = ["announce", "claim"] + [
    f"attempts/12345678-1234-5678-1234-567812345678/{what}"
    for what in ("heartbeat", "results", "finish")
]


@pytest.mark.parametrize("path", PATHS)
def test_without_a_token_nothing_is_answered(cast: Cast, client: Client, path: str) -> None:
    address = f"/api/workers/v1/{path}"
    assert client.post(address, "{}", content_type="application/json").status_code == 401
    client.force_login(cast.instructor)
    assert client.post(address, "{}", content_type="application/json").status_code == 401


@pytest.mark.parametrize("bearer", ["", "short", "x" * 43, "x" * 5000])
def test_a_wrong_token_is_refused(cast: Cast, post: Post, bearer: str) -> None:
    assert post("claim", announcement(cast), bearer=bearer).status_code == 401


def test_a_revoked_token_is_refused(cast: Cast, post: Post) -> None:
    assert post("announce", announcement(cast)).status_code == 200
    call_command("worker_token", "revoke", "host")
    assert post("announce", announcement(cast)).status_code == 401


@pytest.mark.parametrize(
    "spoiled",
    ["", "[]", "not json", '{"name": "x"}', "\xff", b"\xff\xfe"],
)
def test_what_is_no_announcement_is_refused(cast: Cast, post: Post, spoiled: str | bytes) -> None:
    answer = post("claim", spoiled)
    assert (answer.status_code, answer.json()["code"]) == (422, "not_understood")


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": 1},
        {"version": 2},
        {"boot": "short"},
        {"capabilities": ["tpu"]},
        {"labs": {"../x": "0" * 64}},
        {"labs": {"tiny": "xyz"}},
    ],
)
def test_messages_are_closed_and_typed(cast: Cast, post: Post, change: dict[str, object]) -> None:
    assert post("claim", announcement(cast, **change)).status_code == 422


@pytest.mark.parametrize(("path", "size"), [("claim", 300_000), (PATHS[2], 5_000)])
def test_a_message_larger_than_any_honest_one_is_not_read(
    cast: Cast, post: Post, path: str, size: int
) -> None:
    answer = post(path, '{"x": "' + "x" * size + '"}')
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_an_attempt_is_only_for_whoever_has_its_lease(cast: Cast, post: Post) -> None:
    hand_in(cast, now=timezone.now())
    taken = claimed(post, cast)
    foreign = {"lease_token": "x" * 43}
    path = f"attempts/{taken.request.attempt}"
    result = result_of(cast.lab, "doubles").model_dump(mode="json")
    assert post(f"{path}/heartbeat", foreign).status_code == 409
    assert post(f"{path}/results", foreign | {"results": [result]}).status_code == 409
    foreign_report = report(cast, taken).model_dump(mode="json")
    answer = post(f"{path}/finish", foreign | {"report": foreign_report})
    assert (answer.status_code, answer.json()["code"]) == (409, "lease_lost")


def test_a_report_that_cannot_be_true_is_refused_with_the_reason(cast: Cast, post: Post) -> None:
    hand_in(cast, now=timezone.now())
    taken = claimed(post, cast)
    answer = finish(post, cast, taken, results=())
    assert (answer.status_code, answer.json()["code"]) == (422, "report_refused")
    assert "No result for" in answer.json()["detail"]


def test_one_host_serves_several_students_in_turn(cast: Cast, post: Post) -> None:
    other = another_student(cast, "other")
    for who in (cast.student, cast.student, other):
        hand_in(cast, who=who, now=timezone.now())
    owners = []
    while (taken := claim(post, cast)) is not None:
        attempt = Attempt.objects.get(pk=taken.request.attempt)
        owners.append(attempt.submission.enrolment.user.username)
    assert owners == ["student", "other", "student"]


# --- tokens


def test_a_token_is_printed_once_and_stored_as_a_hash(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("worker_token", "create", "lab-3")
    raw = capsys.readouterr().out.strip()
    assert len(raw) >= 43
    assert raw not in str(WorkerToken.objects.values().get())
    call_command("worker_token", "list")
    assert raw not in capsys.readouterr().out
    with pytest.raises(CommandError, match="was a token called lab-3"):
        call_command("worker_token", "create", "lab-3")


def test_revoking_an_unknown_token_says_so(db: None) -> None:
    with pytest.raises(CommandError, match="no working token"):
        call_command("worker_token", "revoke", "nobody")
