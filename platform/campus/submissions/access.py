"""Who may see a submission: whoever handed it in, and the staff of its course."""

from uuid import UUID

from django.http import Http404, HttpRequest

from campus.courses.access import NOT_FOUND, enrolment_or_404
from campus.courses.models import Enrolment
from campus.submissions.models import Submission


def submission_or_404(
    request: HttpRequest, slug: str, submission_id: UUID
) -> tuple[Submission, Enrolment]:
    """A submission with its assignment and owner, and the visitor's own enrolment.

    The visitor sees it as staff when `visitor.is_staff`; else it is their own.
    """
    visitor = enrolment_or_404(request, slug)
    submission = (
        Submission.objects.select_related("assignment__course", "enrolment__user")
        .filter(pk=submission_id, assignment__course_id=visitor.course_id)
        .first()
    )
    if submission is None or not (visitor.is_staff or submission.enrolment_id == visitor.pk):
        raise Http404(NOT_FOUND)
    return submission, visitor
