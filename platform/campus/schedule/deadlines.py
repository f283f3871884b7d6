"""What is released and due when, and what it counts, as the schedule shows it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import QuerySet
from django.urls import reverse

from campus.assignments.models import Assignment, GradingComponent
from campus.courses.models import Course
from campus.schedule.models import Meeting, Week


@dataclass(frozen=True, slots=True)
class Deadline:
    """An assignment with what there is to know about it at one moment."""

    assignment: Assignment
    released: bool
    decided: bool  # it has a date to be released on
    over: bool
    weight_percent: Decimal | None
    url: str  # empty for what is not handed in here, or not released yet


@dataclass(frozen=True, slots=True)
class Exam:
    """A line of the grading that is an exam, with its day if the syllabus has it."""

    title: str
    day: date | None
    weight_percent: Decimal


def assignments_of(course: Course, *, for_staff: bool) -> QuerySet[Assignment]:
    """What students may know of; staff also see what is not published."""
    assignments = (
        Assignment.objects.filter(course=course)
        .select_related("component")
        .prefetch_related("parts")
    )
    return assignments if for_staff else assignments.filter(published=True)


def deadlines(
    course: Course, assignments: Iterable[Assignment], now: datetime, *, for_staff: bool
) -> list[Deadline]:
    """All assignments, by when they are due; without a date last."""
    found = [deadline(course, assignment, now, for_staff=for_staff) for assignment in assignments]
    return sorted(found, key=due_key)


def due_key(line: Deadline) -> tuple[bool, float, int]:
    due = line.assignment.due_at
    return due is None, due.timestamp() if due else 0.0, line.assignment.position


def deadline(course: Course, assignment: Assignment, now: datetime, *, for_staff: bool) -> Deadline:
    decided = assignment.release_at is not None
    # The page's own tick counts for homeworks; whether a lab is open is for the clock to say.
    ticked = assignment.page_marked_released and not assignment.lab
    released = ticked or assignment.is_released(now)
    return Deadline(
        assignment=assignment,
        released=released,
        decided=decided,
        over=assignment.due_at is not None and assignment.due_at < now,
        weight_percent=weight_of(assignment.component),
        url=address_of(course, assignment) if released or for_staff else "",
    )


def address_of(course: Course, assignment: Assignment) -> str:
    """Where it is done: a lab's workbench, or the page of a homework that is made of labs."""
    if assignment.lab:
        return reverse("workbench:lab", args=[course.slug, assignment.slug])
    if assignment.parts.all():
        return reverse("courses:homework", args=[course.slug, assignment.slug])
    return ""


def weight_of(component: GradingComponent | None) -> Decimal | None:
    """What one of a component's things counts: four of 20 % together are 5 % each."""
    return None if component is None else component.weight_percent / max(component.count, 1)


def exams(components: Iterable[GradingComponent], weeks: Sequence[Week]) -> list[Exam]:
    """The exams of the grading, each on the day of the meeting of the same name."""
    days = {
        plain(meeting.title): meeting.date
        for week in weeks
        for meeting in week.meetings.all()
        if meeting.kind == Meeting.Kind.EXAM
    }
    return [
        Exam(component.title, days.get(plain(component.title)), component.weight_percent)
        for component in components
        if component.kind == GradingComponent.Kind.EXAM
    ]


def plain(title: str) -> str:
    """Mid-Term Exam, Midterm exam and mid-term examination are one and the same."""
    return re.sub(r"[^a-z]|\bexam(ination)?\b|inations?$", "", title.casefold())
