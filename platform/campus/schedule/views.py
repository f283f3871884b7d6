"""The public pages of the schedule: the syllabus, and what is due when."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from campus.assignments.models import GradingComponent
from campus.courses.access import course_or_404, enrolment_of
from campus.schedule.deadlines import assignments_of, deadlines, exams
from campus.schedule.syllabus import shown_weeks, term_of, weeks_of


@require_safe
def syllabus(request: HttpRequest, slug: str) -> HttpResponse:
    """The weeks as the course page has them; the current one is marked."""
    course = course_or_404(request, slug)
    enrolment = enrolment_of(request, course)
    for_staff = enrolment is not None and enrolment.is_staff
    now = timezone.now()
    weeks = weeks_of(course)
    assignments = assignments_of(course, for_staff=for_staff)
    context = {
        "course": course,
        "enrolment": enrolment,
        "term": term_of(weeks, now.astimezone(course.zone).date()),
        "weeks": shown_weeks(course, weeks, assignments, now, for_staff=for_staff),
    }
    return render(request, "schedule/syllabus.html", context)


@require_safe
def schedule(request: HttpRequest, slug: str) -> HttpResponse:
    """Homeworks, labs and exams with their dates and weights."""
    course = course_or_404(request, slug)
    enrolment = enrolment_of(request, course)
    for_staff = enrolment is not None and enrolment.is_staff
    now = timezone.now()
    found = deadlines(course, assignments_of(course, for_staff=for_staff), now, for_staff=for_staff)
    components = GradingComponent.objects.filter(course=course)
    context = {
        "course": course,
        "enrolment": enrolment,
        "homeworks": [line for line in found if not line.assignment.lab],
        "labs": [line for line in found if line.assignment.lab],
        "exams": exams(components, weeks_of(course)),
    }
    return render(request, "schedule/schedule.html", context)
