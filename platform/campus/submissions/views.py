"""Hand in, look at what was handed in, download it and its receipt."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from campus.assignments.access import assignment_or_404
from campus.courses.access import enrolment_or_404
from campus.submissions.access import submission_or_404
from campus.submissions.errors import SubmissionRefusedError, TooLargeError
from campus.submissions.live import read_snapshot
from campus.submissions.models import Attempt, Submission
from campus.submissions.pages import grading_context, history_rows
from campus.submissions.receipts import receipt_for
from campus.submissions.submit import Submitted, submit_notebook


class HandIn(BaseModel):
    """What the workbench sends: the answers themselves, so that what is on the screen is what counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answers: dict[str, str] = Field(max_length=1000)
    idempotency_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    draft_revision: Annotated[int, Field(ge=0)] | None = None


@require_POST
def submit(request: HttpRequest, slug: str, assignment: str) -> JsonResponse:
    """Hand in answers; 201 with the addresses of what was stored, or a sentence why nothing was."""
    enrolment = enrolment_or_404(request, slug)
    now = timezone.now()
    wanted = assignment_or_404(enrolment, assignment, now)
    try:
        sent = HandIn.model_validate_json(request.body)
        submitted = submit_notebook(
            enrolment=enrolment,
            assignment=wanted,
            answers=sent.answers,
            idempotency_key=sent.idempotency_key,
            now=now,
        )
    except RequestDataTooBig:
        return _refusal(TooLargeError("This is too large to be handed in. Nothing was stored."))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "body"
        return _problem("invalid", f"{where}: {error.errors()[0]['msg']}.", HTTPStatus(422))
    except SubmissionRefusedError as refusal:
        return _refusal(refusal)
    return JsonResponse(_addresses(slug, submitted), status=201 if submitted.created else 200)


@require_GET
def status(request: HttpRequest, slug: str, submission_id: UUID) -> JsonResponse:
    """The newest attempt as JSON, for those who poll."""
    submission, visitor = submission_or_404(request, slug, submission_id)
    snapshot = read_snapshot(
        _newest_attempt(submission).pk, staff=visitor.is_staff, now=timezone.now()
    )
    return JsonResponse(snapshot.as_json(), headers={"Cache-Control": "no-store"})


@require_GET
def receipt(request: HttpRequest, slug: str, submission_id: UUID) -> HttpResponse:
    """The signed receipt as a file."""
    submission, _ = submission_or_404(request, slug, submission_id)
    signed = receipt_for(submission)
    return _download(signed.content, signed.filename, "application/json")


@require_GET
def notebook(request: HttpRequest, slug: str, submission_id: UUID) -> HttpResponse:
    """The notebook as it was handed in, byte for byte."""
    submission, _ = submission_or_404(request, slug, submission_id)
    name = f"{submission.assignment.slug}-{submission.number}.ipynb"
    return _download(submission.notebook.encode(), name, "application/x-ipynb+json")


@require_GET
def history(request: HttpRequest, slug: str, assignment: str) -> HttpResponse:
    """One's own submissions of an assignment, the newest first."""
    enrolment = enrolment_or_404(request, slug)
    wanted = assignment_or_404(enrolment, assignment, timezone.now())
    context = {
        "course": enrolment.course,
        "enrolment": enrolment,
        "assignment": wanted,
        "rows": history_rows(enrolment, wanted),
    }
    return render(request, "submissions/history.html", context)


@require_GET
@never_cache
def detail(request: HttpRequest, slug: str, submission_id: UUID) -> HttpResponse:
    """One submission with its verdicts; htmx asks for the grading part again until it has ended."""
    submission, visitor = submission_or_404(request, slug, submission_id)
    attempt = _newest_attempt(submission)
    context = {
        "course": visitor.course,
        "enrolment": visitor,
        "assignment": submission.assignment,
        "submission": submission,
        "own": submission.enrolment_id == visitor.pk,
        "late": submission.assignment.is_late(submission.submitted_at),
        **grading_context(attempt, staff=visitor.is_staff, now=timezone.now()),
    }
    part = "#grading" if request.headers.get("HX-Request") else ""
    return render(request, f"submissions/detail.html{part}", context)


def _newest_attempt(submission: Submission) -> Attempt:
    return submission.attempts.order_by("-number")[:1].get()


def _addresses(slug: str, submitted: Submitted) -> dict[str, object]:
    submission = submitted.submission

    def address(name: str) -> str:
        return reverse(f"submissions:{name}", args=[slug, submission.pk])

    return {
        "submission": str(submission.pk),
        "number": submission.number,
        "submitted_at": submission.submitted_at.isoformat(),
        "receipt_url": address("receipt"),
        "events_url": address("events"),
        "status_url": address("status"),
        "detail_url": address("detail"),
    }


def _download(content: bytes, filename: str, content_type: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{filename}"',
            "Cache-Control": "private, no-store",
        },
    )


def _refusal(refusal: SubmissionRefusedError) -> JsonResponse:
    return _problem(refusal.code, str(refusal), HTTPStatus(refusal.status))


def _problem(code: str, sentence: str, status: HTTPStatus) -> JsonResponse:
    return JsonResponse({"code": code, "detail": sentence}, status=status)
