"""Which attempts stand: the newest of a submission, and the newest submission of a student.

Both are anti-joins over unique indexes (number within its owner), so that they cost the same with one
submission a student as with twenty.
"""

from django.db.models import Exists, OuterRef, Q, QuerySet

from campus.assignments.models import Assignment
from campus.courses.models import Course, Enrolment, Role
from campus.gradebook.models import ScoreEntry
from campus.submissions.models import Attempt, Submission


def students(course: Course) -> QuerySet[Enrolment]:
    """Everybody who takes the course; those who left it are not counted."""
    return Enrolment.objects.filter(course=course, role=Role.STUDENT, active=True)


def standing_attempts() -> QuerySet[Attempt]:
    """One attempt a submission: the newest, whatever became of it."""
    newer = Attempt.objects.filter(submission=OuterRef("submission"), number__gt=OuterRef("number"))
    return Attempt.objects.filter(~Exists(newer))


def newest_attempts() -> QuerySet[Attempt]:
    """One attempt a student and assignment: the newest of the newest submission."""
    newer = Submission.objects.filter(
        enrolment=OuterRef("submission__enrolment"),
        assignment=OuterRef("submission__assignment"),
        number__gt=OuterRef("submission__number"),
    )
    return standing_attempts().filter(~Exists(newer))


def graded_attempts(assignment: Assignment) -> QuerySet[Attempt]:
    """One attempt a submission: the newest that has a score (a regrade replaces what it repeats)."""
    newer = Attempt.objects.filter(
        submission=OuterRef("submission"),
        number__gt=OuterRef("number"),
        outcome=Attempt.Outcome.GRADED,
    )
    return Attempt.objects.filter(
        ~Exists(newer), submission__assignment=assignment, outcome=Attempt.Outcome.GRADED
    )


def standing_entries(assignment: Assignment) -> QuerySet[ScoreEntry]:
    """One ledger entry a student: the newest, whose `score_after` is the score that counts."""
    newer = ScoreEntry.objects.filter(
        Q(created_at__gt=OuterRef("created_at"))
        | Q(created_at=OuterRef("created_at"), pk__gt=OuterRef("pk")),
        assignment=OuterRef("assignment"),
        enrolment=OuterRef("enrolment"),
    )
    return ScoreEntry.objects.filter(~Exists(newer), assignment=assignment)
