"""The page of a topic: when it is taught, its material, its lab with figures, and what to read."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from campus.assignments.models import Assignment
from campus.courses.access import NOT_FOUND, course_or_404, enrolment_of
from campus.courses.models import Course
from campus.schedule.deadlines import Deadline, assignments_of, deadline
from campus.schedule.syllabus import ShownMeeting, lab_of, shown_weeks, weeks_of
from campus.workbench.figures import figure_response
from labs.catalog import Lab, Paper

IMAGE = re.compile(r"!\[([^\]]*)\]\(figures/([\w./-]+)\)")


@dataclass(frozen=True, slots=True)
class ShownFigure:
    url: str
    caption: str


@dataclass(frozen=True, slots=True)
class TopicLab:
    """A lab of the topic; figures only for who may open it."""

    line: Deadline
    lab: Lab
    figures: tuple[ShownFigure, ...]
    homeworks: tuple[Deadline, ...]  # those that exercises of this lab count for

    @property
    def minutes(self) -> int:
        return sum(exercise.minutes for exercise in self.lab.exercises)

    @property
    def papers(self) -> tuple[Paper, ...]:
        return self.lab.papers


@dataclass(frozen=True, slots=True)
class Place:
    """A topic among the others, with its week."""

    week: int
    meeting: ShownMeeting


@require_safe
def topic(request: HttpRequest, slug: str, topic: str) -> HttpResponse:
    """One topic of the syllabus."""
    course = course_or_404(request, slug)
    enrolment = enrolment_of(request, course)
    for_staff = enrolment is not None and enrolment.is_staff
    now = timezone.now()
    assignments = list(assignments_of(course, for_staff=for_staff))
    weeks = shown_weeks(course, weeks_of(course), assignments, now, for_staff=for_staff)
    places = [
        Place(week.number, meeting)
        for week in weeks
        for meeting in week.meetings
        if meeting.topic_slug
    ]
    index = next((i for i, place in enumerate(places) if place.meeting.topic_slug == topic), None)
    if index is None:
        raise Http404(NOT_FOUND)
    place = places[index]
    context = {
        "course": course,
        "enrolment": enrolment,
        "place": place,
        "labs": topic_labs(course, place.meeting, assignments, now, for_staff=for_staff),
        "previous": places[index - 1] if index else None,
        "next": places[index + 1] if index + 1 < len(places) else None,
    }
    return render(request, "courses/topic.html", context)


@require_safe
def figure(request: HttpRequest, slug: str, lab: str, name: str) -> FileResponse:
    """A picture of a lab that is open to its students, for whoever may read the course's pages."""
    course = course_or_404(request, slug)
    enrolment = enrolment_of(request, course)
    for_staff = enrolment is not None and enrolment.is_staff
    assignment = get_object_or_404(Assignment, course=course, slug=lab)
    found = lab_of(assignment)
    if found is None or not (for_staff or assignment.is_released(timezone.now())):
        raise Http404(NOT_FOUND)
    return figure_response(found, name)


def topic_labs(
    course: Course,
    meeting: ShownMeeting,
    assignments: Sequence[Assignment],
    now: datetime,
    *,
    for_staff: bool,
) -> list[TopicLab]:
    """The labs whose topic this is, each with what there is to see of it."""
    found = []
    for assignment in assignments:
        lab = lab_of(assignment)
        if lab is None or lab.topic.casefold() != meeting.title.casefold():
            continue
        line = deadline(course, assignment, now, for_staff=for_staff)
        found.append(
            TopicLab(
                line=line,
                lab=lab,
                figures=tuple(figures_of(lab, course, assignment)) if line.url else (),
                homeworks=tuple(
                    deadline(course, homework, now, for_staff=for_staff)
                    for homework in assignments
                    if any(part.lab == lab.slug for part in homework.parts.all())
                ),
            )
        )
    return found


def figures_of(lab: Lab, course: Course, assignment: Assignment) -> Iterable[ShownFigure]:
    """The pictures that the lab's prose shows, in its order, with their descriptions."""
    seen = set()
    for cell in lab.cells:
        if cell.kind != "markdown":
            continue
        for caption, name in IMAGE.findall(cell.source):
            if name not in seen and (lab.folder / "figures" / name).is_file():
                seen.add(name)
                address = reverse("courses:figure", args=[course.slug, assignment.slug, name])
                yield ShownFigure(address, caption)
