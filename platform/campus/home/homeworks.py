"""The page of a homework: which exercises of which labs count, and what one has reached in them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from campus.assignments.models import Assignment, AssignmentPart
from campus.courses.access import NOT_FOUND, course_or_404, enrolment_of
from campus.courses.models import Course, Enrolment
from campus.gradebook.homework import CENTS, NOTHING, Graded, PartScore, part_scores
from campus.schedule.deadlines import Deadline, deadline
from campus.schedule.syllabus import LabLink, lab_link
from labs.catalog import Lab, LabError, get_lab


@dataclass(frozen=True, slots=True)
class ShownExercise:
    """An exercise with its share of the homework's points; `score` is None while nothing counts."""

    id: str
    title: str
    minutes: int
    points: Decimal
    score: Decimal | None


@dataclass(frozen=True, slots=True)
class ShownPart:
    """One lab's exercises in the homework. Without `lab` its folder cannot be read at present."""

    part: AssignmentPart
    lab: Lab | None
    link: LabLink | None
    exercises: tuple[ShownExercise, ...]
    score: Decimal
    counted: Graded | None

    @property
    def title(self) -> str:
        return self.lab.title if self.lab else self.part.lab

    @property
    def minutes(self) -> int:
        return sum(exercise.minutes for exercise in self.exercises)


@require_safe
def homework(request: HttpRequest, slug: str, homework: str) -> HttpResponse:
    """A homework that is made of lab exercises, for whoever may see the course; own scores for students."""
    course = course_or_404(request, slug)
    enrolment = enrolment_of(request, course)
    for_staff = enrolment is not None and enrolment.is_staff
    now = timezone.now()
    assignment, line = _homework_or_404(course, homework, now, for_staff=for_staff)
    own = enrolment is not None and not for_staff
    parts = shown_parts(course, assignment, enrolment if own else None, now, for_staff=for_staff)
    context = {
        "course": course,
        "enrolment": enrolment,
        "line": line,
        "parts": parts,
        "own": own,
        "score": sum((part.score for part in parts), NOTHING),
        "points": sum((part.part.points for part in parts), NOTHING),
        "minutes": sum(part.minutes for part in parts),
    }
    return render(request, "courses/homework.html", context)


def _homework_or_404(
    course: Course, slug: str, now: datetime, *, for_staff: bool
) -> tuple[Assignment, Deadline]:
    found = (
        Assignment.objects.filter(course=course, slug=slug, parts__isnull=False)
        .select_related("component")
        .prefetch_related("parts")
        .first()
    )
    if found is None:
        raise Http404(NOT_FOUND)
    line = deadline(course, found, now, for_staff=for_staff)
    if not (for_staff or (found.published and line.released)):
        raise Http404(NOT_FOUND)
    return found, line


def shown_parts(
    course: Course,
    homework: Assignment,
    enrolment: Enrolment | None,
    now: datetime,
    *,
    for_staff: bool,
) -> list[ShownPart]:
    """The parts in order, with the scores of this student if one is given."""
    scores = (
        part_scores(homework, enrolment)
        if enrolment is not None
        else [PartScore(part, None, NOTHING) for part in homework.parts.all()]
    )
    labs = Assignment.objects.filter(course=course, lab__in=[score.part.lab for score in scores])
    if not for_staff:
        labs = labs.filter(published=True)
    done_in = {assignment.lab: assignment for assignment in labs}
    return [
        shown_part(
            score,
            lab_link(course, done_in[score.part.lab], now, for_staff=for_staff)
            if score.part.lab in done_in
            else None,
        )
        for score in scores
    ]


def shown_part(score: PartScore, link: LabLink | None) -> ShownPart:
    part = score.part
    try:
        lab = get_lab(part.lab)
    except LabError:
        return ShownPart(part, None, None, (), score.score, score.counted)
    exercises = [exercise for exercise in lab.exercises if exercise.id in part.exercises]
    most = sum((exercise.points for exercise in exercises), NOTHING)
    scale = part.points / most if most else NOTHING
    return ShownPart(
        part=part,
        lab=lab,
        link=link,
        exercises=tuple(
            ShownExercise(
                id=exercise.id,
                title=exercise.title,
                minutes=exercise.minutes,
                points=(exercise.points * scale).quantize(CENTS),
                score=_scaled(score.of_exercise(exercise.id), exercise.points * scale),
            )
            for exercise in exercises
        ),
        score=score.score,
        counted=score.counted,
    )


def _scaled(reached: tuple[Decimal, Decimal] | None, worth: Decimal) -> Decimal | None:
    if reached is None:
        return None
    points, most = reached
    return (worth * points / most).quantize(CENTS) if most else NOTHING
