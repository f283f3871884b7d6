"""What the dashboard shows: numbers per assignment, where everybody is stuck, what happened last."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, Max, Q, QuerySet

from campus.assignments.models import Assignment
from campus.courses.models import Course, Enrolment, Role
from campus.gradebook.charts import Histogram, StackedBar, histogram, stacked_bar
from campus.gradebook.querysets import (
    graded_attempts,
    newest_attempts,
    standing_attempts,
    standing_entries,
    students,
)
from campus.submissions.models import Attempt, CheckResult, Submission
from labs.catalog import Lab, LabError, get_lab

STUDENT = Q(submission__enrolment__role="student", submission__enrolment__active=True)
STUDENTS = Q(role=Role.STUDENT, active=True)
NOBODY = Q(pk__in=[])
QUEUED, RUNNING = Attempt.State.QUEUED, Attempt.State.RUNNING
GRADED, OURS = Attempt.Outcome.GRADED, Attempt.Outcome.INTERNAL_ERROR


@dataclass(frozen=True, slots=True)
class AssignmentNumbers:
    """One line of the dashboard. Each student is counted once, by the newest submission."""

    assignment: Assignment
    enrolled: int
    submitted: int = 0
    graded: int = 0
    waiting: int = 0
    running: int = 0
    ours: int = 0
    late: int = 0

    @property
    def missing(self) -> int:
        return max(self.enrolled - self.submitted, 0)

    @property
    def submitted_percent(self) -> int:
        return round(100 * self.submitted / self.enrolled) if self.enrolled else 0


@dataclass(frozen=True, slots=True)
class CheckOutcomes:
    """How one check ended in everybody's newest submission."""

    name: str
    title: str
    exercise: str
    hidden: bool
    bar: StackedBar


@dataclass(frozen=True, slots=True)
class Focus:
    """One assignment in pictures."""

    assignment: Assignment
    scores: Histogram
    checks: tuple[CheckOutcomes, ...]

    @property
    def hardest(self) -> CheckOutcomes | None:
        """The check that fewest pass, once somebody does not."""
        stuck = [check for check in self.checks if check.bar.total and check.bar.passed_share < 1]
        return min(stuck, key=lambda check: check.bar.passed_share, default=None)


def lab_of(assignment: Assignment) -> Lab | None:
    """The assignment's lab as it is on disk now; None when it has none or the lab is broken."""
    if not assignment.lab:
        return None
    try:
        return get_lab(assignment.lab)
    except LabError:
        return None


def assignment_numbers(course: Course) -> list[AssignmentNumbers]:
    """A line for each assignment of the course. The number of queries grows with the homeworks that are
    made of labs, and with nothing else."""
    enrolled = students(course).count()
    counts = (
        newest_attempts()
        .filter(STUDENT, submission__assignment__course=course)
        .order_by()
        .values_list("submission__assignment")
        .annotate(
            submitted=Count("pk"),
            graded=Count("pk", filter=Q(outcome=GRADED)),
            waiting=Count("pk", filter=Q(state=QUEUED)),
            running=Count("pk", filter=Q(state=RUNNING)),
            ours=Count("pk", filter=Q(outcome=OURS)),
            late=Count(
                "pk",
                filter=Q(submission__submitted_at__gt=F("submission__assignment__due_at")),
            ),
        )
    )
    counted = {assignment: numbers for assignment, *numbers in counts}
    return [
        homework_numbers(assignment, enrolled)
        if not assignment.lab and assignment.parts.all()
        else AssignmentNumbers(assignment, enrolled, *counted.get(assignment.pk, ()))
        for assignment in Assignment.objects.filter(course=course).prefetch_related("parts")
    ]


def homework_numbers(homework: Assignment, enrolled: int) -> AssignmentNumbers:
    """The same for a homework that is made of labs: who has handed in any of them, and has a score."""
    counted = Enrolment.objects.filter(
        STUDENTS,
        course=homework.course_id,
        submissions__assignment__lab__in=[part.lab for part in homework.parts.all()],
    ).aggregate(
        submitted=Count("pk", distinct=True),
        late=Count(
            "pk",
            distinct=True,
            filter=Q(submissions__submitted_at__gt=homework.due_at) if homework.due_at else NOBODY,
        ),
    )
    graded = students(homework.course).filter(score_entries__assignment=homework)
    graded_count = graded.distinct().count()
    return AssignmentNumbers(
        homework,
        enrolled,
        submitted=counted["submitted"],
        graded=graded_count,
        waiting=max(counted["submitted"] - graded_count, 0),
        late=counted["late"],
    )


def best_scores(assignment: Assignment) -> dict[int, Decimal]:
    """The best score of each enrolment that has one; an earlier grading of a regrade is forgotten."""
    return dict(
        graded_attempts(assignment)
        .order_by()
        .values_list("submission__enrolment")
        .annotate(best=Max("score"))
    )


def max_score_of(assignment: Assignment) -> Decimal:
    """What the assignment is worth: its lab's points or those of its parts, else the most that an
    attempt was graded out of."""
    lab = lab_of(assignment)
    if lab is not None:
        return lab.points
    if parts := assignment.parts.all():
        return sum((part.points for part in parts), Decimal(0))
    most = graded_attempts(assignment).aggregate(most=Max("max_score"))["most"]
    return most if most is not None else Decimal(0)


def focus_on(assignment: Assignment) -> Focus:
    """The histogram of the scores that count and the outcomes of every check."""
    scores = standing_entries(assignment).filter(enrolment__in=students(assignment.course))
    return Focus(
        assignment=assignment,
        scores=histogram(
            scores.order_by().values_list("score_after", flat=True), max_score_of(assignment)
        ),
        checks=tuple(check_outcomes(assignment)),
    )


def check_outcomes(assignment: Assignment) -> list[CheckOutcomes]:
    """Every check in the lab's order; checks that only older versions had come last."""
    attempts = newest_attempts().filter(STUDENT, submission__assignment=assignment, outcome=GRADED)
    counts: dict[str, dict[str, int]] = {}
    exercises: dict[str, str] = {}
    hidden: dict[str, bool] = {}
    for name, exercise, is_hidden, verdict, count in (
        CheckResult.objects.filter(attempt__in=attempts.order_by())
        .order_by()
        .values_list("check_name", "exercise", "hidden", "verdict")
        .annotate(count=Count("pk"))
    ):
        counts.setdefault(name, {})
        counts[name][verdict] = counts[name].get(verdict, 0) + count
        exercises[name], hidden[name] = exercise, is_hidden
    lab = lab_of(assignment)
    known = {check.name: check for check in lab.checks} if lab else {}
    found = [
        CheckOutcomes(
            check.name,
            check.title,
            check.exercise,
            check.hidden,
            stacked_bar(counts.get(check.name, {})),
        )
        for check in known.values()
    ]
    return found + [
        CheckOutcomes(name, name, exercises[name], hidden[name], stacked_bar(counts[name]))
        for name in sorted(counts.keys() - known.keys())
    ]


def newest_in(course: Course, how_many: int) -> list[Attempt]:
    """The newest attempt of each of the newest submissions of the course, newest first."""
    newest = list(
        Submission.objects.filter(assignment__course=course)
        .order_by("-submitted_at", "-pk")
        .values_list("pk", flat=True)[:how_many]
    )
    attempts = (
        standing_attempts()
        .filter(submission__in=newest)
        .select_related("submission__enrolment__user", "submission__assignment")
        .defer("report", "submission__notebook")
    )
    return sorted(attempts, key=lambda attempt: newest.index(attempt.submission_id))


def submissions_of(submission: Submission) -> QuerySet[Attempt]:
    """The newest attempt of every submission of the same student for the same assignment."""
    return (
        standing_attempts()
        .filter(
            submission__enrolment=submission.enrolment_id,
            submission__assignment=submission.assignment_id,
        )
        .select_related("submission")
        .defer("report", "submission__notebook")
        .order_by("submission__number")
    )


def our_failures_in(course: Course) -> QuerySet[Attempt]:
    """Attempts in which something of ours broke, also those that a retry mended; newest first."""
    return (
        Attempt.objects.filter(submission__assignment__course=course)
        .filter(Q(outcome=OURS) | Q(internal_errors__gt=0))
        .select_related("submission__enrolment__user", "submission__assignment")
        .defer("report", "submission__notebook")
        .order_by(F("finished_at").desc(nulls_first=True), "-queued_at")
    )


def busiest_assignment(course: Course, assignments: list[Assignment]) -> Assignment | None:
    """Which one to show first: what was handed in last, else the first that has a lab."""
    newest = (
        Submission.objects.filter(assignment__course=course)
        .order_by("-submitted_at")
        .values_list("assignment", flat=True)
        .first()
    )
    by_id = {assignment.pk: assignment for assignment in assignments}
    if newest in by_id:
        return by_id[newest]
    return next((assignment for assignment in assignments if assignment.lab), None)
