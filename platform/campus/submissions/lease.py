"""The transitions of an attempt: who may grade it, for how long, and what ends it.

    queued ──claim──▶ running ──finish──▶ done
      ▲                 │ │
      └────requeue──────┘ └──cancel──▶ cancelled      (queued ──cancel──▶ cancelled, too)

Every transition is one `UPDATE … WHERE state = old AND lease_token = mine` whose row count says who won;
no lock is held between requests. A claim hands out a random 256-bit token of which only the sha256 is
stored. Whatever comes with another token, or after the lease has run out, is refused: the attempt may
already be somebody else's. So a worker can be killed at any instruction, and a worker that was thought
dead can come back, without an attempt being lost or counted twice.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from campus.submissions.errors import LeaseLostError
from campus.submissions.models import Attempt, CheckResult
from campus.submissions.nudge import nudge
from campus.submissions.querysets import AttemptQuerySet
from campus.submissions.results import check_report, check_results, store_results
from campus.submissions.wakeups import wake_watchers
from grader.api import CheckResult as CheckMessage
from grader.api import GradingReport, Verdict
from labs.catalog import Lab

State, Outcome = Attempt.State, Attempt.Outcome
CANDIDATES = 5  # looked at per query; with as many rivals at once, ask again
CLAIM_ROUNDS = 20
MAX_INTERNAL_ERRORS = 3
MAX_CLAIMS = 10  # an attempt that outlived so many workers is what kills them


@dataclass(frozen=True, slots=True)
class Holder:
    """The worker process that claims."""

    name: str
    boot: str
    wall: str
    unsafe: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """An attempt and the only copy of its lease token."""

    attempt: Attempt
    lease_token: str


def claim(
    *, labs: Mapping[str, str], capabilities: Iterable[str], holder: Holder, now: datetime
) -> Claimed | None:
    """The next attempt in fair order for a worker that has these labs (slug → content hash)."""
    for _ in range(CLAIM_ROUNDS):
        candidates = list(
            Attempt.objects.claimable(labs=labs, capabilities=capabilities, now=now).values_list(
                "pk", "submission__assignment__lab"
            )[:CANDIDATES]
        )
        if not candidates:
            return None
        for pk, lab in candidates:
            token = secrets.token_urlsafe(32)
            won = Attempt.objects.filter(pk=pk, state=State.QUEUED).update(
                state=State.RUNNING,
                lab_hash=labs[lab],
                claimed_at=now,
                leased_until=_lease_end(now),
                lease_token=token_hash(token),
                worker_name=holder.name,
                worker_boot=holder.boot,
                wall=holder.wall,
                unsafe=holder.unsafe,
                claims=F("claims") + 1,
            )
            if won:
                wake_watchers(pk)
                attempt = Attempt.objects.select_related(
                    "submission__assignment__course", "submission__enrolment"
                ).get(pk=pk)
                return Claimed(attempt, token)
    return None


def renew(*, attempt_id: UUID, lease_token: str, now: datetime) -> Literal["continue", "cancel"]:
    """Prolong the lease; "cancel" when nobody wants the result any more.

    Raises:
        LeaseLostError: the token is foreign or the lease ran out.
    """
    if _current(attempt_id, lease_token, now).update(leased_until=_lease_end(now)):
        return "continue"
    if Attempt.objects.filter(
        pk=attempt_id, state=State.CANCELLED, lease_token=token_hash(lease_token)
    ).exists():
        return "cancel"
    raise LeaseLostError


def check_done(
    *,
    attempt_id: UUID,
    lease_token: str,
    results: Sequence[CheckMessage],
    lab: Lab,
    now: datetime,
) -> None:
    """Store verdicts as they fall, and prolong the lease; sent again they change nothing.

    Raises:
        LeaseLostError: the attempt is not this worker's any more, or finished.
        ReportRefusedError: a result that cannot be one of this lab.
    """
    check_results(lab, results)
    with transaction.atomic():
        # Also keeps a finish that runs at the same time waiting until these rows are in.
        if not _current(attempt_id, lease_token, now).update(leased_until=_lease_end(now)):
            raise LeaseLostError
        store_results(attempt_id, lab, results, now)
        wake_watchers(attempt_id)


def finish(
    *, attempt_id: UUID, lease_token: str, report: GradingReport, lab: Lab, now: datetime
) -> Attempt:
    """End an attempt with its report, or put it back when the failure was ours.

    The score is the sum of the points of the stored results; `report.score` is not looked at.

    Raises:
        LeaseLostError: the token is not current or the attempt is not running.
        ReportRefusedError: results are missing, unknown or worth more than the lab gives.
    """
    ours = report.failure or any(r.verdict is Verdict.INTERNAL_ERROR for r in report.results)
    if not ours:
        check_report(lab, report)
    with transaction.atomic():
        current = _current(attempt_id, lease_token, now)
        if ours:
            _count_internal_error(current, report, now)
        else:
            finished = current.update(
                state=State.DONE,
                outcome=Outcome.GRADED,
                finished_at=now,
                leased_until=None,
                score=sum((result.points for result in report.results), Decimal(0)),
                max_score=sum((check.points for check in lab.checks), Decimal(0)),
                failure="",
                reference_number="",
                **_facts(report),
            )
            if not finished:
                raise LeaseLostError
            store_results(attempt_id, lab, report.results, now)
        wake_watchers(attempt_id)
    return Attempt.objects.select_related("submission__enrolment", "submission__assignment").get(
        pk=attempt_id
    )


def requeue(attempts: AttemptQuerySet, now: datetime) -> int:
    """Put running attempts back that still match when their turn comes; returns how many.

    Their place in the queue stays; partial results go, since the next worker starts from the beginning.
    """
    return sum(_requeue_one(attempts.filter(pk=pk), pk, now) for pk in _keys(attempts))


def cancel(attempt_id: UUID, now: datetime) -> bool:
    """Nobody wants the result any more; a worker that is at it hears so at its next heartbeat."""
    cancelled = Attempt.objects.filter(
        pk=attempt_id, state__in=(State.QUEUED, State.RUNNING)
    ).update(state=State.CANCELLED, finished_at=now, leased_until=None)
    if cancelled:
        wake_watchers(attempt_id)
    return bool(cancelled)


def token_hash(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _current(attempt_id: UUID, lease_token: str, now: datetime) -> AttemptQuerySet:
    return Attempt.objects.filter(
        pk=attempt_id,
        state=State.RUNNING,
        lease_token=token_hash(lease_token),
        leased_until__gte=now,
    )


def _lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.GRADUS_LEASE_SECONDS)


def _keys(attempts: AttemptQuerySet) -> list[UUID]:
    return list(attempts.values_list("pk", flat=True))


def _requeue_one(attempts: AttemptQuerySet, pk: UUID, now: datetime) -> int:
    given_up = {
        "state": State.DONE,
        "outcome": Outcome.INTERNAL_ERROR,
        "finished_at": now,
        "leased_until": None,
        "failure": f"{MAX_CLAIMS} workers in a row stopped answering while they graded this.",
    }
    with transaction.atomic():
        if attempts.filter(claims__gte=MAX_CLAIMS).update(**given_up):
            CheckResult.objects.filter(attempt=pk).delete()
            wake_watchers(pk)
            return 0
        return _put_back(attempts, pk, now)


def _put_back(attempts: AttemptQuerySet, pk: UUID, now: datetime, **changes: object) -> int:
    """The one way back to the queue; inside a transaction."""
    capability = attempts.values_list("capability", flat=True).first()
    put_back = attempts.update(
        state=State.QUEUED,
        lease_token="",
        leased_until=None,
        claimed_at=None,
        worker_name="",
        worker_boot="",
        wall="",
        unsafe=False,
        nudged_at=now,
        **changes,
    )
    if put_back and capability:
        CheckResult.objects.filter(attempt=pk).delete()
        wake_watchers(pk)
        transaction.on_commit(lambda: nudge(capability, attempt=str(pk)), robust=True)
    return put_back


def _count_internal_error(current: AttemptQuerySet, report: GradingReport, now: datetime) -> None:
    """Try again, or after the third time end the attempt without any score."""
    attempt = current.first()
    if attempt is None:
        raise LeaseLostError
    errors = attempt.internal_errors + 1
    about = {
        "internal_errors": errors,
        "failure": report.failure or "Part of the grader failed while a check ran.",
        "reference_number": report.reference_number,
    }
    if errors < MAX_INTERNAL_ERRORS:
        done = _put_back(current, attempt.pk, now, **about)
    else:
        CheckResult.objects.filter(attempt=attempt.pk).delete()
        done = current.update(
            state=State.DONE,
            outcome=Outcome.INTERNAL_ERROR,
            finished_at=now,
            leased_until=None,
            **about,
            **_facts(report),
        )
    if not done:
        raise LeaseLostError


def _facts(report: GradingReport) -> dict[str, object]:
    """What a report says beside its verdicts; `unsafe` can be set by it, never cleared."""
    facts: dict[str, object] = {"report": report.model_dump(mode="json", exclude={"results"})}
    if report.wall:
        facts["wall"] = report.wall
    if report.unsafe or report.wall == "none":
        facts["unsafe"] = True
    return facts
