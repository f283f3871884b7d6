"""Who may see an assignment: staff always, students from its release on."""

from datetime import datetime

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse

from campus.assignments.models import Assignment
from campus.courses.access import NOT_FOUND, course_or_404
from campus.courses.models import Enrolment


def assignment_or_404(enrolment: Enrolment, slug: str, now: datetime) -> Assignment:
    """An assignment of the enrolment's course; for a student an unreleased one does not exist."""
    assignment = (
        Assignment.objects.select_related("course")
        .filter(course_id=enrolment.course_id, slug=slug)
        .first()
    )
    if assignment is None or not (enrolment.is_staff or assignment.is_released(now)):
        raise Http404(NOT_FOUND)
    return assignment


def sign_in_to_assignment(
    request: HttpRequest, course_slug: str, slug: str, now: datetime
) -> HttpResponse:
    """For a visitor who is not signed in: the way to sign in, if the public pages list it anyway."""
    course = course_or_404(request, course_slug)
    assignment = Assignment.objects.filter(course=course, slug=slug).first()
    if assignment is None or not assignment.is_released(now):
        raise Http404(NOT_FOUND)
    return redirect_to_login(request.get_full_path())
