"""What a homework that is made of lab exercises is worth to one student, and how it comes to that.

A student does the labs; every graded submission of a lab may count. For each part the best one does,
among those that the homework's own cut-off lets in. Nothing of it is stored but the total, in the ledger.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef, Sum

from campus.assignments.models import Assignment, AssignmentPart
from campus.courses.models import Enrolment
from campus.gradebook.models import ScoreEntry
from campus.submissions.models import Attempt, CheckResult

CENTS = Decimal("0.001")  # as precise as points are stored
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Graded:
    """One graded submission of a lab: its points by exercise, as (points, out of)."""

    submission: UUID
    number: int
    submitted_at: datetime
    late: bool
    exercises: Mapping[str, tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class PartScore:
    """One part with the submission that counts for it, if there is one."""

    part: AssignmentPart
    counted: Graded | None
    score: Decimal

    def of_exercise(self, exercise: str) -> tuple[Decimal, Decimal] | None:
        """(points, out of) in the lab's own points; None while nothing counts."""
        return None if self.counted is None else self.counted.exercises.get(exercise)


def share(part: AssignmentPart, exercises: Mapping[str, tuple[Decimal, Decimal]]) -> Decimal:
    """The part's points for these results: what was reached of what its exercises can give."""
    found = [exercises[one] for one in part.exercises if one in exercises]
    most = sum((out_of for _, out_of in found), NOTHING)
    if not most:
        return NOTHING
    reached = sum((points for points, _ in found), NOTHING)
    return (part.points * reached / most).quantize(CENTS, ROUND_HALF_UP)


def best_of(part: AssignmentPart, graded: Iterable[Graded]) -> PartScore:
    """The submission that gives most; of equals the one that is not late, then the first."""
    best: tuple[tuple[Decimal, bool, float], Graded] | None = None
    for one in graded:
        key = (share(part, one.exercises), not one.late, -one.submitted_at.timestamp())
        if best is None or key > best[0]:
            best = key, one
    if best is None:
        return PartScore(part, None, NOTHING)
    return PartScore(part, best[1], best[0][0])


def part_scores(homework: Assignment, enrolment: Enrolment) -> list[PartScore]:
    """Every part of a homework for one student, in two queries."""
    parts = list(homework.parts.all())
    graded = graded_submissions(homework, parts, enrolment)
    return [best_of(part, graded.get(part.lab, ())) for part in parts]


def graded_submissions(
    homework: Assignment, parts: Sequence[AssignmentPart], enrolment: Enrolment
) -> dict[str, list[Graded]]:
    """Lab → the student's graded submissions of it that the homework accepts."""
    newer = Attempt.objects.filter(
        submission=OuterRef("attempt__submission"),
        number__gt=OuterRef("attempt__number"),
        outcome=Attempt.Outcome.GRADED,
    )
    results = CheckResult.objects.filter(
        ~Exists(newer),
        attempt__outcome=Attempt.Outcome.GRADED,
        attempt__submission__enrolment=enrolment,
        attempt__submission__assignment__course=homework.course_id,
        attempt__submission__assignment__lab__in=[part.lab for part in parts],
    )
    if homework.cut_off_at is not None:
        results = results.filter(attempt__submission__submitted_at__lte=homework.cut_off_at)
    exercises: dict[UUID, dict[str, tuple[Decimal, Decimal]]] = {}
    about: dict[UUID, tuple[str, int, datetime]] = {}
    for submission, number, at, lab, exercise, points, most in (
        results.order_by()
        .values_list(
            "attempt__submission",
            "attempt__submission__number",
            "attempt__submission__submitted_at",
            "attempt__submission__assignment__lab",
            "exercise",
        )
        .annotate(reached=Sum("points"), most=Sum("max_points"))
    ):
        exercises.setdefault(submission, {})[exercise] = points, most
        about[submission] = lab, number, at
    found: dict[str, list[Graded]] = {}
    for submission, (lab, number, at) in about.items():
        one = Graded(submission, number, at, homework.is_late(at), exercises[submission])
        found.setdefault(lab, []).append(one)
    return found


def record_homeworks(attempt: Attempt, now: datetime) -> list[ScoreEntry]:
    """An entry for each homework whose total a graded attempt changed. The caller holds the enrolment's
    lock, so that each entry starts where another ended."""
    submission = attempt.submission
    homeworks = Assignment.objects.filter(
        course=submission.assignment.course_id, parts__lab=submission.assignment.lab
    ).prefetch_related("parts")
    entries = []
    for homework in homeworks if submission.assignment.lab else ():
        scores = part_scores(homework, submission.enrolment)
        total = sum((score.score for score in scores), NOTHING)
        most = sum((score.part.points for score in scores), NOTHING)
        latest = ScoreEntry.objects.filter(
            enrolment=submission.enrolment_id, assignment=homework
        ).first()
        if latest is not None and (latest.score_after, latest.max_score) == (total, most):
            continue
        entries.append(
            ScoreEntry.objects.create(
                enrolment_id=submission.enrolment_id,
                assignment=homework,
                attempt=attempt,
                author=None,
                reason=f"{submission.assignment.title}, submission {submission.number}, was graded.",
                score_before=latest.score_after if latest else None,
                score_after=total,
                max_score=most,
                created_at=now,
            )
        )
    return entries
