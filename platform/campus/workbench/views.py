"""The list of labs, one lab's page, and the figures that its prose shows."""

from datetime import datetime

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from campus.assignments.access import assignment_or_404, sign_in_to_assignment
from campus.assignments.models import Assignment
from campus.courses.access import course_or_404, enrolment_of, enrolment_or_404
from campus.courses.models import Enrolment
from campus.submissions.canonical import lab_of
from campus.submissions.errors import LabMissingError
from campus.workbench import page
from campus.workbench.drafts import read_draft
from campus.workbench.labs import labs_of

NO_FIGURE = "The lab has no such figure."
FIGURE_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg"}


@require_safe
def labs(request: HttpRequest, course_slug: str) -> HttpResponse:
    """All labs of a course, with dates and, for those who take part, their progress."""
    course = course_or_404(request, course_slug)
    enrolment = enrolment_of(request, course)
    context = {
        "course": course,
        "enrolment": enrolment,
        "labs": labs_of(course, enrolment, timezone.now()),
    }
    return render(request, "workbench/labs.html", context)


@require_GET
@never_cache
def lab(request: HttpRequest, course_slug: str, assignment_slug: str) -> HttpResponse:
    """The workbench. It reads without scripts; writing and submitting need them."""
    now = timezone.now()
    if not request.user.is_authenticated:
        return sign_in_to_assignment(request, course_slug, assignment_slug, now)
    enrolment = enrolment_or_404(request, course_slug)
    assignment = assignment_or_404(enrolment, assignment_slug, now)
    if not assignment.lab:
        raise Http404("This assignment is not done on this site.")
    context: dict[str, object] = {
        "course": assignment.course,
        "enrolment": enrolment,
        "assignment": assignment,
    }
    try:
        context |= _opened(enrolment, assignment, now)
    except LabMissingError as error:
        return render(request, "workbench/broken.html", context | {"problem": error}, status=503)
    return render(request, "workbench/lab.html", context)


def _opened(enrolment: Enrolment, assignment: Assignment, now: datetime) -> dict[str, object]:
    found = lab_of(assignment)
    draft = read_draft(enrolment, assignment, found)
    attempt = page.latest_attempts(enrolment, [assignment]).get(assignment.pk)
    exercises = page.shown_exercises(found, page.verdicts_of(attempt))
    address = page.figure_address(assignment.course.slug, assignment.slug)
    return {
        "lab": found,
        "draft": draft,
        "attempt": attempt,
        "exercises": exercises,
        "cells": page.shown_cells(found, exercises, draft.answers, address),
        "late": assignment.is_late(now),
        "accepts": enrolment.is_staff or assignment.accepts(now),
        "config": page.browser_config(
            enrolment=enrolment,
            assignment=assignment,
            lab=found,
            draft=draft,
            attempt=attempt,
        ),
    }


@require_safe
def figure(request: HttpRequest, course_slug: str, assignment_slug: str, name: str) -> FileResponse:
    """A picture of the lab's folder `figures/`, for whoever may see the lab."""
    enrolment = enrolment_or_404(request, course_slug)
    assignment = assignment_or_404(enrolment, assignment_slug, timezone.now())
    try:
        folder = (lab_of(assignment).folder / "figures").resolve()
    except LabMissingError:
        raise Http404 from None
    try:
        path = (folder / name).resolve()
        found = path.is_relative_to(folder) and path.is_file()
    except (ValueError, OSError):  # a name that no file can have: NUL in it, or too long
        raise Http404(NO_FIGURE) from None
    kind = FIGURE_TYPES.get(path.suffix.lower())
    if kind is None or not found:
        raise Http404(NO_FIGURE)
    response = FileResponse(path.open("rb"), content_type=kind)
    response["Cache-Control"] = "private, max-age=300"
    # An SVG that is opened by itself must not run anything.
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response
