"""The cast, a course with one lab, and submissions in every state; all explicit, nothing hidden."""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from campus.accounts.models import User
from campus.assignments.models import Assignment
from campus.courses.models import Course, Enrolment, Role
from campus.gradebook.models import ScoreEntry
from campus.submissions.models import Attempt, CheckResult, Submission
from grader.api import CheckResult as CheckMessage
from grader.api import Verdict
from labs.catalog import get_lab, student_notebook

LABS = Path(__file__).parent / "labs"
NOW = datetime(2025, 2, 20, 12, 0, tzinfo=UTC)
DUE = datetime(2025, 2, 22, 15, 59, tzinfo=UTC)
ORDER = ("doubles", "halves", "halves_zero")
POINTS = {"doubles": Decimal(4), "halves": Decimal(4), "halves_zero": Decimal(2)}
EXERCISES = {"doubles": "E1", "halves": "E2", "halves_zero": "E2"}


def a_course(slug: str = "steps-2025") -> Course:
    return Course.objects.create(
        slug=slug,
        code="STEP 1",
        title="Steps",
        year=2025,
        time_zone="Asia/Hong_Kong",
        published=True,
    )


def an_assignment(course: Course, slug: str = "steps", **fields: object) -> Assignment:
    values = {"title": "Steps lab", "kind": Assignment.Kind.LAB, "lab": "steps", "due_at": DUE}
    return Assignment.objects.create(course=course, slug=slug, **(values | fields))


def somebody(username: str) -> User:
    return User.objects.create_user(username, password="correct horse battery staple")


def enrolled(
    course: Course, username: str, role: Role = Role.STUDENT, section: str = "LA1"
) -> Enrolment:
    return Enrolment.objects.create(
        course=course, user=somebody(username), role=role, section=section
    )


def a_submission(
    enrolment: Enrolment,
    assignment: Assignment,
    *,
    at: datetime = NOW,
    answers: Mapping[str, str] | None = None,
    notebook: str | None = None,
) -> Submission:
    lab = get_lab("steps")
    text = notebook if notebook is not None else student_notebook(lab, answers or {}).decode()
    return Submission.objects.create(
        enrolment=enrolment,
        assignment=assignment,
        number=Submission.objects.filter(enrolment=enrolment, assignment=assignment).count() + 1,
        notebook=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        lab_hash=lab.content_hash,
        idempotency_key=uuid.uuid4().hex,
        submitted_at=at,
    )


def an_attempt(submission: Submission, **fields: object) -> Attempt:
    """A queued attempt, unless the fields say otherwise."""
    values = {
        "number": submission.attempts.count() + 1,
        "queued_at": submission.submitted_at,
        "lab_hash": submission.lab_hash,
    }
    return Attempt.objects.create(submission=submission, **(values | fields))


def a_graded_attempt(
    submission: Submission,
    verdicts: Mapping[str, Verdict] | None = None,
    details: Mapping[str, Mapping[str, object]] | None = None,
    **fields: object,
) -> Attempt:
    """Every check passed, unless `verdicts` says otherwise; `details` are further protocol fields."""
    found = {name: (verdicts or {}).get(name, Verdict.PASSED) for name in ORDER}
    score = sum(
        (POINTS[name] for name, verdict in found.items() if verdict is Verdict.PASSED), Decimal(0)
    )
    attempt = an_attempt(
        submission,
        **(
            {
                "state": Attempt.State.DONE,
                "outcome": Attempt.Outcome.GRADED,
                "claimed_at": submission.submitted_at + timedelta(seconds=1),
                "finished_at": submission.submitted_at + timedelta(seconds=2),
                "claims": 1,
                "worker_name": "host/0",
                "wall": "bubblewrap",
                "score": score,
                "max_score": Decimal(10),
            }
            | fields
        ),
    )
    for position, (name, verdict) in enumerate(found.items(), start=1):
        message = CheckMessage(
            check=name,
            exercise=EXERCISES[name],
            title=f"Title of {name}",
            verdict=verdict,
            points=POINTS[name] if verdict is Verdict.PASSED else Decimal(0),
            max_points=POINTS[name],
            hidden=name == "halves_zero",
            **(details or {}).get(name, {}),
        )
        CheckResult.objects.create(
            attempt=attempt,
            check_name=name,
            exercise=message.exercise,
            position=position,
            verdict=verdict.value,
            points=message.points,
            max_points=message.max_points,
            hidden=message.hidden,
            detail=message.model_dump(mode="json"),
            received_at=submission.submitted_at,
        )
    return attempt


def an_entry(attempt: Attempt, **fields: object) -> ScoreEntry:
    submission = attempt.submission
    values = {
        "enrolment": submission.enrolment,
        "assignment": submission.assignment,
        "attempt": attempt,
        "reason": f"Submission {submission.number} graded",
        "score_after": attempt.score,
        "max_score": attempt.max_score,
        "created_at": attempt.finished_at,
    }
    return ScoreEntry.objects.create(**(values | fields))
