"""What the student's pages show, worked out from rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campus.assignments.models import Assignment
from campus.courses.models import Enrolment
from campus.submissions.feedback import visible_result
from campus.submissions.models import Attempt, CheckResult, Submission
from campus.submissions.waiting import place_of

# What a student reads; the words in the row are for operators and may name hosts.
OUR_FAILURE = "The grader failed on this submission, and kept failing when it was tried again."


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A submission with its newest attempt."""

    submission: Submission
    attempt: Attempt
    checks: list[CheckResult]
    late: bool

    @property
    def badge(self) -> str:
        return badge(self.attempt)


def history_rows(enrolment: Enrolment, assignment: Assignment) -> list[HistoryRow]:
    """One's submissions, newest first, in three queries however many there are."""
    submissions = Submission.objects.of(enrolment, assignment).defer("notebook")
    rows = []
    for submission in submissions.prefetch_related("attempts__results"):
        attempt = submission.attempts.all()[0]
        late = assignment.is_late(submission.submitted_at)
        rows.append(HistoryRow(submission, attempt, list(attempt.results.all()), late))
    return rows


def grading_context(attempt: Attempt, *, staff: bool, now: datetime) -> dict[str, Any]:
    """The part of a submission's page that changes while it is graded."""
    failed_by_us = attempt.outcome == Attempt.Outcome.INTERNAL_ERROR
    return {
        "attempt": attempt,
        "badge": badge(attempt),
        "results": [visible_result(row.detail, staff=staff) for row in attempt.results.all()],
        "waiting": attempt.state in (Attempt.State.QUEUED, Attempt.State.RUNNING),
        "place": place_of(attempt, now),
        "failed_by_us": failed_by_us,
        "failure": (attempt.failure if staff else OUR_FAILURE) if failed_by_us else "",
    }


def badge(attempt: Attempt) -> str:
    """The word to show for an attempt: its state, or that the failure was ours."""
    if attempt.outcome == Attempt.Outcome.INTERNAL_ERROR:
        return attempt.outcome
    return attempt.state
