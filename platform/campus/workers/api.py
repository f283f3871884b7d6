"""The API through which workers claim attempts and report: JSON over HTTP with a bearer token.

Every message is read as `grader.protocol` has it: closed, typed, size-capped before it is parsed.
"""

from typing import TypeVar
from uuid import UUID

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import NinjaAPI
from ninja.security import HttpBearer
from pydantic import BaseModel, ValidationError

from campus.submissions.errors import LeaseLostError, ReportRefusedError
from campus.submissions.lease import renew
from campus.workers.announce import announce
from campus.workers.errors import WorkerRefusedError
from campus.workers.handout import hand_out, take_report, take_results
from campus.workers.models import WorkerToken
from campus.workers.tokens import token_of
from grader.api import (
    CheckDone,
    ClaimRequest,
    Finish,
    Heartbeat,
    HeartbeatAnswer,
    WorkerAnnouncement,
)
from labs.catalog import LabError

log = structlog.get_logger()

M = TypeVar("M", bound=BaseModel)
SMALL_BYTES = 4 * 1024
ANNOUNCEMENT_BYTES = 256 * 1024
REPORT_BYTES = 6 * 1024 * 1024  # as DATA_UPLOAD_MAX_MEMORY_SIZE


class BodyTooLargeError(Exception):
    """The message is larger than any honest one."""


class BearerToken(HttpBearer):
    """The host's token, as WorkerToken knows it by its hash."""

    def authenticate(self, request: HttpRequest, token: str) -> WorkerToken | None:
        return token_of(token) if 20 <= len(token) <= 256 else None


api = NinjaAPI(
    title="Gradus workers",
    version="1",
    urls_namespace="worker_api",
    docs_url=None,
    openapi_url=None,
    auth=BearerToken(),
)


@api.post("/announce")
def announce_worker(request: HttpRequest) -> HttpResponse:
    announcement = _body(request, WorkerAnnouncement, ANNOUNCEMENT_BYTES)
    announce(token=_token(request), announcement=announcement, now=timezone.now())
    return JsonResponse({"version": 1})


@api.post("/claim")
def claim(request: HttpRequest) -> HttpResponse:
    """200 with a Claim, or 204: there is nothing that this worker can grade."""
    wanted = _body(request, ClaimRequest, ANNOUNCEMENT_BYTES)
    now = timezone.now()
    worker = announce(token=_token(request), announcement=wanted, now=now)
    handed_out = hand_out(worker, now)
    return HttpResponse(status=204) if handed_out is None else _answer(handed_out)


@api.post("/attempts/{uuid:attempt_id}/heartbeat")
def heartbeat(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    sent = _body(request, Heartbeat, SMALL_BYTES)
    decision = renew(attempt_id=attempt_id, lease_token=sent.lease_token, now=timezone.now())
    return _answer(HeartbeatAnswer(decision=decision))


@api.post("/attempts/{uuid:attempt_id}/results")
def results(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    sent = _body(request, CheckDone, REPORT_BYTES)
    take_results(attempt_id, sent.lease_token, sent.results, timezone.now())
    return JsonResponse({"version": 1})


@api.post("/attempts/{uuid:attempt_id}/finish")
def finish(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    sent = _body(request, Finish, REPORT_BYTES)
    attempt = take_report(attempt_id, sent.lease_token, sent.report, timezone.now())
    return JsonResponse({"version": 1, "state": attempt.state, "outcome": attempt.outcome})


@api.exception_handler(LeaseLostError)
def lease_lost(request: HttpRequest, _error: LeaseLostError) -> HttpResponse:
    return _problem("lease_lost", "This attempt is not yours (any more). Drop it.", 409)


@api.exception_handler(ReportRefusedError)
def report_refused(request: HttpRequest, error: ReportRefusedError) -> HttpResponse:
    log.error("report_refused", error=str(error))
    return _problem("report_refused", str(error), 422)


@api.exception_handler(WorkerRefusedError)
def worker_refused(request: HttpRequest, error: WorkerRefusedError) -> HttpResponse:
    return _problem(error.code, str(error), error.status)


@api.exception_handler(LabError)
def lab_unreadable(request: HttpRequest, error: LabError) -> HttpResponse:
    log.error("lab_unreadable", error=str(error))
    return _problem("lab_unreadable", str(error), 503)


@api.exception_handler(ValidationError)
def not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'body'}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)[:20]
    ]
    return _problem("not_understood", "; ".join(faults), 422)


@api.exception_handler(BodyTooLargeError)
@api.exception_handler(RequestDataTooBig)
def too_large(request: HttpRequest, _error: Exception) -> HttpResponse:
    return _problem("too_large", "The message is larger than this endpoint reads.", 413)


def _token(request: HttpRequest) -> WorkerToken:
    token = request.auth  # type: ignore[attr-defined]  # ninja puts it there
    assert isinstance(token, WorkerToken)
    return token


def _body(request: HttpRequest, message: type[M], most_bytes: int) -> M:
    if int(request.headers.get("Content-Length") or 0) > most_bytes:
        raise BodyTooLargeError
    if len(request.body) > most_bytes:
        raise BodyTooLargeError
    return message.model_validate_json(request.body)


def _answer(message: BaseModel) -> HttpResponse:
    return HttpResponse(message.model_dump_json(), content_type="application/json")


def _problem(code: str, sentence: str, status: int) -> JsonResponse:
    return JsonResponse({"code": code, "detail": sentence}, status=status)
