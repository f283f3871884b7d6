"""The list of labs, one lab's page, and the figures that its prose shows."""

from datetime import datetime

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from campus.assignments.access import assignment_or_404, sign_in_to_assignment
from campus.assignments.models import Assignment, AssignmentPart
from campus.courses.access import course_or_404, enrolment_of, enrolment_or_404
from campus.courses.models import Enrolment
from campus.submissions.canonical import lab_of
from campus.submissions.errors import LabMissingError
from campus.workbench import page
from campus.workbench.drafts import read_draft
from campus.workbench.figures import figure_response
from campus.workbench.labs import labs_of


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
        "counts_for": _counts_for(enrolment, assignment, now),
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


def _counts_for(
    enrolment: Enrolment, assignment: Assignment, now: datetime
) -> list[AssignmentPart]:
    """The parts of homeworks that this lab is done for, as far as the reader may know of them."""
    parts = AssignmentPart.objects.filter(
        lab=assignment.lab, assignment__course=assignment.course_id
    ).select_related("assignment")
    return [part for part in parts if enrolment.is_staff or part.assignment.is_released(now)]


@require_safe
def figure(request: HttpRequest, course_slug: str, assignment_slug: str, name: str) -> FileResponse:
    """A picture of the lab's folder `figures/`, for whoever may see the lab."""
    enrolment = enrolment_or_404(request, course_slug)
    assignment = assignment_or_404(enrolment, assignment_slug, timezone.now())
    try:
        found = lab_of(assignment)
    except LabMissingError:
        raise Http404 from None
    return figure_response(found, name)
