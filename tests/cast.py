"""The fixed cast of the tests, one course with one released lab, and typed builders around them.

Tests import what they need by name: `from tests.cast import Cast, hand_in`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from campus.accounts.models import User
from campus.assignments.models import Assignment
from campus.courses.models import Course, Enrolment, Role
from campus.submissions import lease
from campus.submissions.lease import Claimed, Holder
from campus.submissions.models import Submission
from campus.submissions.submit import Submitted, submit_notebook
from grader.api import CheckResult, GradingReport, Verdict
from labs.catalog import Lab, get_lab

LABS = Path(__file__).parent / "fixtures" / "labs"
LAB = "tiny"
NOW = datetime(2025, 2, 20, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RIGHT = {
    "double": "def double(x):\n    return 2 * x",
    "total": "def total(x):\n    return np.asarray(x).sum()",
    "root": "def root(x):\n    return np.sqrt(x)",
}
WRONG = RIGHT | {"double": "def double(x):\n    return 3 * x"}


@dataclass(frozen=True)
class Cast:
    """Four people: a student, an assistant and an instructor of the course, and one outsider."""

    course: Course
    assignment: Assignment
    student: User
    assistant: User
    instructor: User
    outsider: User

    def enrolment(self, user: User) -> Enrolment:
        return Enrolment.objects.select_related("course", "user").get(course=self.course, user=user)

    @property
    def lab(self) -> Lab:
        return get_lab(self.assignment.lab)


def make_cast() -> Cast:
    """The people, the course and its lab; released a week before NOW, due a week after."""
    course = Course.objects.create(
        slug="test-2025",
        title="A course for tests",
        year=2025,
        time_zone="Asia/Hong_Kong",
        published=True,
    )
    assignment = Assignment.objects.create(
        course=course,
        slug=LAB,
        title="A tiny lab",
        kind=Assignment.Kind.LAB,
        lab=LAB,
        release_at=NOW - timedelta(days=7),
        due_at=NOW + timedelta(days=7),
    )
    people = {
        name: User.objects.create_user(name, password="password-of-the-tests", name=name.title())
        for name in ("student", "assistant", "instructor", "outsider")
    }
    for role in Role:
        Enrolment.objects.create(course=course, user=people[role.value], role=role)
    return Cast(course=course, assignment=assignment, **people)


def another_student(cast: Cast, name: str) -> User:
    user = User.objects.create_user(name, password="password-of-the-tests", name=name.title())
    Enrolment.objects.create(course=cast.course, user=user, role=Role.STUDENT)
    return user


def hand_in(
    cast: Cast,
    *,
    who: User | None = None,
    answers: Mapping[str, str] = RIGHT,
    now: datetime = NOW,
    key: str | None = None,
) -> Submitted:
    """A submission of the student's, or of somebody else's."""
    return submit_notebook(
        enrolment=cast.enrolment(who or cast.student),
        assignment=cast.assignment,
        answers=answers,
        idempotency_key=key or uuid.uuid4().hex,
        now=now,
    )


HOLDER = Holder(name="host/0", boot="b" * 32, wall="local", unsafe=False)


def claim_next(
    cast: Cast, *, now: datetime = NOW + SECOND, holder: Holder = HOLDER
) -> Claimed | None:
    """What a worker that has the lab would be given."""
    labs = {cast.lab.slug: cast.lab.content_hash}
    return lease.claim(labs=labs, capabilities=["cpu"], holder=holder, now=now)


def result_of(lab: Lab, name: str, verdict: Verdict = Verdict.PASSED) -> CheckResult:
    """What an honest grader reports of one check."""
    check = lab.check(name)
    return CheckResult(
        check=name,
        exercise=check.exercise,
        title=check.title,
        verdict=verdict,
        points=check.points if verdict is Verdict.PASSED else Decimal(0),
        max_points=check.points,
        hidden=check.hidden,
        trials=check.trials,
        trials_passed=check.trials if verdict is Verdict.PASSED else 0,
    )


def report_on(
    submission: Submission, lab: Lab, *, failed: tuple[str, ...] = (), **changes: object
) -> GradingReport:
    """A complete report in which every check passed but those in `failed`."""
    results = tuple(
        result_of(lab, check.name, Verdict.FAILED if check.name in failed else Verdict.PASSED)
        for check in lab.checks
    )
    report = GradingReport(
        attempt=str(submission.attempts.get().pk),
        lab=lab.slug,
        lab_hash=lab.content_hash,
        submission_sha256=submission.sha256,
        results=results,
        score=Decimal(0),  # campus adds up for itself
        wall="local",
        seconds=0.5,
    )
    return report.model_copy(update=changes)
