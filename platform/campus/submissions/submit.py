"""Hand in a notebook: one transaction, a receipt, and a nudge that may fail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from campus.assignments.models import Assignment
from campus.courses.models import Enrolment
from campus.submissions.canonical import canonical_notebook, sha256_of
from campus.submissions.errors import NotReleasedError, PastCutOffError
from campus.submissions.models import Attempt, Submission
from campus.submissions.nudge import nudge
from campus.submissions.receipts import Receipt, receipt_for

NUMBER_TRIES = 3  # for two tabs that hand in at the same instant


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a student gets back; `created` is False when the same submission was sent before."""

    submission: Submission
    attempt: Attempt
    receipt: Receipt
    created: bool


def submit_notebook(
    *,
    enrolment: Enrolment,
    assignment: Assignment,
    idempotency_key: str,
    now: datetime,
    answers: Mapping[str, str] | None = None,
    notebook: bytes | None = None,
) -> Submitted:
    """Store what was handed in and queue its first grading.

    The same idempotency key gives the same submission again, also past the cut-off: it was in time.

    Raises:
        SubmissionRefusedError: nothing was stored; its message tells the student why.
    """
    before = _sent_before(enrolment, assignment, idempotency_key)
    if before is not None:
        return before
    _refuse_by_the_clock(enrolment, assignment, now)
    lab, content = canonical_notebook(assignment, answers=answers, notebook=notebook)
    for further_tries in reversed(range(NUMBER_TRIES)):
        try:
            with transaction.atomic():
                # One after the other where the database can (SQLite's transactions always are); the
                # unique constraint is what guarantees it.
                Enrolment.objects.select_for_update().get(pk=enrolment.pk)
                submission = Submission.objects.create(
                    enrolment=enrolment,
                    assignment=assignment,
                    number=_next_number(enrolment, assignment),
                    notebook=content.decode(),
                    sha256=sha256_of(content),
                    lab_hash=lab.content_hash,
                    idempotency_key=idempotency_key,
                    submitted_at=now,
                )
                attempt = queue_attempt(submission, now=now, gpu=lab.zygote == "torch-gpu")
        except IntegrityError:
            # Another request took the number, or is the same one sent twice.
            before = _sent_before(enrolment, assignment, idempotency_key)
            if before is not None:
                return before
            if not further_tries:
                raise
        else:
            return Submitted(submission, attempt, receipt_for(submission), created=True)
    raise AssertionError("the last try either returns or raises")


def queue_attempt(submission: Submission, *, now: datetime, gpu: bool) -> Attempt:
    """The submission's first attempt, with a nudge once the transaction is through."""
    capability = "gpu" if gpu else "cpu"
    attempt = Attempt.objects.create(
        submission=submission,
        number=1,
        capability=capability,
        lab_hash=submission.lab_hash,
        queued_at=now,
        nudged_at=now,
    )
    transaction.on_commit(lambda: nudge(capability, attempt=str(attempt.pk)), robust=True)
    return attempt


def _refuse_by_the_clock(enrolment: Enrolment, assignment: Assignment, now: datetime) -> None:
    """Staff try a lab out before its release and after its cut-off."""
    if enrolment.is_staff:
        return
    if not assignment.is_released(now):
        raise NotReleasedError(f"{assignment} has not been released yet. Nothing was stored.")
    if not assignment.accepts(now):
        assert assignment.cut_off_at is not None
        cut_off = assignment.cut_off_at.astimezone(enrolment.course.zone)
        raise PastCutOffError(
            f"{assignment} closed on {cut_off:%-d %B %Y at %H:%M} ({enrolment.course.time_zone}), "
            "so this was not handed in. Your draft is safe; talk to the course staff."
        )


def _next_number(enrolment: Enrolment, assignment: Assignment) -> int:
    taken = Submission.objects.filter(enrolment=enrolment, assignment=assignment)
    return (taken.aggregate(highest=Max("number"))["highest"] or 0) + 1


def _sent_before(
    enrolment: Enrolment, assignment: Assignment, idempotency_key: str
) -> Submitted | None:
    submission = Submission.objects.filter(
        enrolment=enrolment, assignment=assignment, idempotency_key=idempotency_key
    ).first()
    if submission is None:
        return None
    attempt = submission.attempts.order_by("-number").first()
    assert attempt is not None, "a submission and its first attempt are one transaction"
    return Submitted(submission, attempt, receipt_for(submission), created=False)
