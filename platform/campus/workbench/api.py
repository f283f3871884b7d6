"""The JSON API of the workbench: reading and saving the draft.

Signed in by the session, with a CSRF token for writes. Whoever may not see the assignment gets the
same 404 as everywhere.
"""

from datetime import datetime
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import NinjaAPI, Schema, Status
from ninja.errors import HttpError, ValidationError
from ninja.security import django_auth
from pydantic import Field

from campus.assignments.access import assignment_or_404
from campus.assignments.models import Assignment
from campus.courses.access import enrolment_or_404
from campus.courses.models import Enrolment
from campus.submissions.canonical import lab_of
from campus.submissions.errors import LabMissingError
from campus.workbench.drafts import (
    Conflict,
    DraftRefusedError,
    DraftState,
    DraftTooLargeError,
    read_draft,
    save_draft,
)
from labs.catalog import Lab

api = NinjaAPI(
    title="Gradus",
    version="1",
    urls_namespace="api",
    docs_url=None,  # its page loads scripts from elsewhere, which the content policy forbids
    openapi_url=None,
    auth=django_auth,  # the session; it checks the CSRF token too
)


class DraftIn(Schema):
    """All answers that differ from the lab's starter, and the revision they were written on."""

    revision: int = Field(ge=0, le=2**31 - 2)
    answers: dict[str, str] = Field(max_length=1000)


class DraftOut(Schema):
    revision: int
    answers: dict[str, str]
    saved_at: datetime | None


class SavedOut(Schema):
    revision: int
    saved_at: datetime | None


class ConflictOut(DraftOut):
    detail: str


class Problem(Schema):
    detail: str


@api.exception_handler(RequestDataTooBig)
def too_big(request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    detail = "This is too large to be read. Shorten your answers."
    return api.create_response(request, {"detail": detail}, status=413)


@api.exception_handler(ValidationError)
def not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """One sentence a fault, naming the field, where ninja would answer with a list of objects."""
    faults = [
        f"{'.'.join(str(part) for part in fault['loc'][2:]) or 'body'}: {fault['msg']}."
        for fault in error.errors[:20]
    ]
    return api.create_response(request, {"detail": " ".join(faults)}, status=422)


DRAFT = "/courses/{slug:course}/assignments/{slug:assignment}/draft"


@api.get(DRAFT, response={200: DraftOut, 404: Problem, 503: Problem})
def get_draft(request: HttpRequest, course: str, assignment: str) -> Any:
    enrolment, found, lab = _subject(request, course, assignment)
    return read_draft(enrolment, found, lab)


@api.put(
    DRAFT,
    response={
        200: SavedOut,
        404: Problem,
        409: ConflictOut,
        413: Problem,
        422: Problem,
        503: Problem,
    },
)
def put_draft(request: HttpRequest, course: str, assignment: str, body: DraftIn) -> Any:
    enrolment, found, lab = _subject(request, course, assignment)
    try:
        outcome = save_draft(
            enrolment=enrolment,
            assignment=found,
            lab=lab,
            answers=body.answers,
            revision=body.revision,
            now=timezone.now(),
        )
    except DraftTooLargeError as error:
        return Status(413, {"detail": str(error)})
    except DraftRefusedError as error:
        return Status(422, {"detail": str(error)})
    if isinstance(outcome, Conflict):
        return Status(409, _conflict(outcome.draft))
    return outcome.draft


def _subject(request: HttpRequest, course: str, slug: str) -> tuple[Enrolment, Assignment, Lab]:
    enrolment = enrolment_or_404(request, course)
    assignment = assignment_or_404(enrolment, slug, timezone.now())
    try:
        return enrolment, assignment, lab_of(assignment)
    except LabMissingError as error:
        raise HttpError(error.status, str(error)) from None


def _conflict(draft: DraftState) -> dict[str, Any]:
    return {
        "detail": "This draft was changed somewhere else since you opened it.",
        "revision": draft.revision,
        "answers": draft.answers,
        "saved_at": draft.saved_at,
    }
