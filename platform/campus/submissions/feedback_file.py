"""Feedback to take along: the submission with its verdicts as one page."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from pydantic import ValidationError

from campus.courses.access import NOT_FOUND
from campus.submissions.access import submission_or_404
from campus.submissions.canonical import lab_of
from campus.submissions.errors import LabMissingError
from campus.submissions.feedback import visible_result
from campus.submissions.models import Attempt
from grader.api import GradingReport, feedback_html
from labs.catalog import NotebookError, read_answers


@require_GET
def feedback(request: HttpRequest, slug: str, submission_id: UUID) -> HttpResponse:
    """The newest graded attempt as an HTML file; it shows what the submission's page shows."""
    submission, visitor = submission_or_404(request, slug, submission_id)
    graded = submission.attempts.filter(outcome=Attempt.Outcome.GRADED)
    attempt = graded.order_by("-number").first()
    if attempt is None:
        raise Http404(NOT_FOUND)
    results = [visible_result(row.detail, staff=visitor.is_staff) for row in attempt.results.all()]
    told = attempt.report if isinstance(attempt.report, dict) else {}
    try:
        lab = lab_of(submission.assignment)
        report = GradingReport.model_validate(
            told | {"results": results, "score": attempt.score, "max_score": attempt.max_score}
        )
        page = feedback_html(lab, read_answers(lab, submission.notebook), report)
    except (LabMissingError, NotebookError, ValidationError):  # of another version than today's
        raise Http404(NOT_FOUND) from None
    name = f"feedback-{submission.assignment.slug}-{submission.number}.html"
    return HttpResponse(
        page,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        },
    )
