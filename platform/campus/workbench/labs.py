"""The labs of a course as a list: dates, points, and how far one has come."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from campus.assignments.models import Assignment
from campus.courses.models import Course, Enrolment
from campus.submissions.canonical import lab_of
from campus.submissions.errors import LabMissingError
from campus.submissions.models import Attempt
from campus.workbench.page import ShownCheck, latest_attempts, shown_exercises, verdicts_of
from labs.catalog import Lab


@dataclass(frozen=True, slots=True)
class ListedLab:
    assignment: Assignment
    lab: Lab | None  # None: its folder cannot be read
    released: bool
    checks: tuple[ShownCheck, ...]
    score: Decimal | None
    max_score: Decimal | None


def labs_of(course: Course, enrolment: Enrolment | None, now: datetime) -> list[ListedLab]:
    """Every published assignment that is a lab; staff also see what is not published."""
    assignments = Assignment.objects.filter(course=course).exclude(lab="")
    if enrolment is None or not enrolment.is_staff:
        assignments = assignments.filter(published=True)
    attempts = latest_attempts(enrolment, assignments) if enrolment else {}
    return [
        _listed(assignment, attempts.get(assignment.pk), enrolment is not None, now)
        for assignment in assignments
    ]


def _listed(
    assignment: Assignment, attempt: Attempt | None, enrolled: bool, now: datetime
) -> ListedLab:
    try:
        lab = lab_of(assignment)
    except LabMissingError:
        lab = None
    released = assignment.is_released(now)
    checks: tuple[ShownCheck, ...] = ()
    if lab is not None and enrolled and released:
        exercises = shown_exercises(lab, verdicts_of(attempt))
        checks = tuple(check for exercise in exercises for check in exercise.checks)
    return ListedLab(
        assignment=assignment,
        lab=lab,
        released=released,
        checks=checks,
        score=attempt.score if attempt else None,
        max_score=attempt.max_score if attempt else None,
    )
