"""The staff's pages. Each view authorises first: who is not staff of the course gets 404."""

import json
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from campus.assignments.models import Assignment
from campus.courses.access import staff_enrolment_or_404
from campus.gradebook import overview, reading, table
from campus.gradebook.asked import query_of, read_wanted, sort_links
from campus.gradebook.models import ScoreEntry
from campus.schedule.models import CourseImport
from campus.submissions.models import Attempt, Submission
from campus.submissions.receipts import receipt_for

NEWEST_SHOWN = 8
IMPORTS_SHOWN = 5


@require_safe
def dashboard(request: HttpRequest, slug: str) -> HttpResponse:
    """Numbers per assignment, one assignment in pictures, what happened last."""
    enrolment = staff_enrolment_or_404(request, slug)
    course = enrolment.course
    numbers = overview.assignment_numbers(course)
    assignments = [line.assignment for line in numbers]
    shown = next((a for a in assignments if a.slug == request.GET.get("show")), None)
    shown = shown or overview.busiest_assignment(course, assignments)
    context = {
        "course": course,
        "enrolment": enrolment,
        "now": timezone.now(),
        "numbers": numbers,
        "focus": overview.focus_on(shown) if shown is not None else None,
        "newest": overview.newest_in(course, NEWEST_SHOWN),
        "failures": overview.our_failures_in(course)[:NEWEST_SHOWN],
        "imports": CourseImport.objects.filter(course=course)
        .select_related("author")
        .defer("page")[:IMPORTS_SHOWN],
    }
    return _page_or_part(request, "gradebook/dashboard.html", "below", context)


@require_safe
def assignment(request: HttpRequest, slug: str, assignment_slug: str) -> HttpResponse:
    """Who submitted what with which score. Search, filters and sorting come back as the table alone."""
    enrolment = staff_enrolment_or_404(request, slug)
    shown = get_object_or_404(Assignment, course=enrolment.course, slug=assignment_slug)
    shown.course = enrolment.course
    rows = table.rows_of(shown)
    wanted = read_wanted(request.GET, {row.section for row in rows})
    lab = overview.lab_of(shown)
    page = table.page_of(rows, wanted, lab)
    context = {
        "course": enrolment.course,
        "enrolment": enrolment,
        "assignment": shown,
        "wanted": wanted,
        "page": page,
        "previous": query_of(wanted, page=page.number - 1) if page.number > 1 else "",
        "next": query_of(wanted, page=page.number + 1) if page.number < page.pages else "",
        "columns": sort_links(wanted),
        "checks": table.pips_of(lab),
        "counts": table.counts_of(rows),
        "classic": lab is not None and lab.kind == "classic",
        "sections": sorted({row.section for row in rows if row.section}),
    }
    return _page_or_part(request, "gradebook/assignment.html", "rows", context)


@require_safe
def submission(request: HttpRequest, slug: str, submission_id: UUID) -> HttpResponse:
    """One submission with its notebook, the verdicts of one attempt, and what became of it."""
    enrolment = staff_enrolment_or_404(request, slug)
    shown = get_object_or_404(
        Submission.objects.select_related("enrolment__user", "assignment").prefetch_related(
            Prefetch("attempts", Attempt.objects.order_by("-number"))
        ),
        pk=submission_id,
        assignment__course=enrolment.course,
    )
    shown.assignment.course = enrolment.course
    context: dict[str, Any] = {"course": enrolment.course, "enrolment": enrolment}
    context |= _about(shown, wanted_attempt=request.GET.get("attempt", ""))
    return render(request, "gradebook/submission.html", context)


def _about(submission: Submission, *, wanted_attempt: str) -> dict[str, Any]:
    """Everything that the page of one submission shows; the newest attempt unless another is wanted."""
    assignment = submission.assignment
    attempts = list(submission.attempts.all())
    attempt = next((one for one in attempts if str(one.number) == wanted_attempt), None)
    attempt = attempt or next(iter(attempts), None)
    lab = overview.lab_of(assignment)
    return {
        "assignment": assignment,
        "submission": submission,
        "late": assignment.is_late(submission.submitted_at),
        "attempts": attempts,
        "attempt": attempt,
        "standing": table.standing_of(attempt.state, attempt.outcome) if attempt else "",
        "reading": reading.read_submission(
            submission.notebook, attempt, lab, partial(_figure_address, assignment)
        ),
        "lab_changed": bool(lab and attempt and lab.content_hash != attempt.lab_hash),
        "others": overview.submissions_of(submission),
        "entries": ScoreEntry.objects.filter(enrolment=submission.enrolment, assignment=assignment)
        .select_related("author", "attempt__submission")
        .defer("attempt__report", "attempt__submission__notebook"),
        "receipt": json.loads(receipt_for(submission).content)["receipt"],
    }


def _figure_address(assignment: Assignment, name: str) -> str:
    """A figure of the lab. Names that are no path of it lead nowhere, and never to another site."""
    try:
        return reverse(
            "workbench:figure",
            args=[assignment.course.slug, assignment.slug, name.removeprefix("figures/")],
        )
    except NoReverseMatch:
        return ""


def _page_or_part(
    request: HttpRequest, template: str, part: str, context: dict[str, object]
) -> HttpResponse:
    """The whole page, or its one part when htmx asks. Caches must keep the two apart."""
    asked_by_htmx = bool(request.htmx) and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    response = render(request, f"{template}#{part}" if asked_by_htmx else template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response
