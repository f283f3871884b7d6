"""One claimed attempt from its request to its report, with the lease kept and the verdicts told."""

import secrets
import threading
from collections.abc import Callable

import structlog

from gpu_workers.client import CampusClient, CampusError, LeaseLostError, RefusedError
from gpu_workers.heartbeat import HeartbeatThread
from gpu_workers.sender import ResultSender
from grader.api import CheckResult, Claim, GradingReport
from grader.errors import Cancelled, GraderError
from grader.sandbox import Sandbox

log = structlog.get_logger()

Grade = Callable[..., GradingReport]


def grade_claim(
    claim: Claim,
    *,
    client: CampusClient,
    sandbox: Sandbox,
    grade: Grade,
    cancelled: threading.Event,
) -> bool:
    """Grade and report one attempt; False when something of ours failed."""
    attempt = claim.request.attempt
    sender = ResultSender(client, claim, cancelled)
    try:
        with HeartbeatThread(client, claim, cancelled):
            report = _graded_or_failed(claim, sandbox, grade, sender.put, cancelled)
            sender.close()
            if report is None:
                log.info("grading_dropped", attempt=attempt)
                return True
            return _report(claim, report, client) and not report.failure
    finally:
        sender.close()


def _graded_or_failed(
    claim: Claim,
    sandbox: Sandbox,
    grade: Grade,
    on_result: Callable[[CheckResult], None],
    cancelled: threading.Event,
) -> GradingReport | None:
    """The report, or one that says what failed here; None when nobody wants it any more.

    This is the edge at which every exception becomes an internal error with a reference number.
    """
    try:
        return grade(claim.request, sandbox=sandbox, on_result=on_result, cancelled=cancelled)
    except Cancelled:
        return None
    except Exception as error:
        reference = secrets.token_hex(4)
        log.exception("grading_failed", attempt=claim.request.attempt, reference_number=reference)
        # A GraderError is worded for operators; anything else could carry a student's text.
        cause = str(error) if isinstance(error, GraderError) else type(error).__name__
        return _failure(claim, sandbox, cause, reference)


def _report(claim: Claim, report: GradingReport, client: CampusClient) -> bool:
    """Send it; a report that campus refuses is replaced by one that says so."""
    attempt = claim.request.attempt
    try:
        client.finish(claim, report, patience=float(claim.lease_seconds))
    except LeaseLostError:
        log.warning("late_report_refused", attempt=attempt)
        return True
    except CampusError as error:
        log.error("report_not_delivered", attempt=attempt, error=str(error))  # noqa: TRY400
        return False
    except RefusedError as error:
        log.error("report_refused", attempt=attempt, error=str(error))  # noqa: TRY400
        if not report.failure:
            refused = f"Campus refused the report: {error.detail}"
            failed = report.model_copy(
                update={
                    "results": (),
                    "failure": refused[:2000],
                    "reference_number": secrets.token_hex(4),
                }
            )
            _report(claim, failed, client)
        return False
    log.info(
        "attempt_graded",
        attempt=attempt,
        lab=report.lab,
        score=str(report.score),
        max_score=str(report.max_score),
        seconds=round(report.seconds, 3),
        failure=report.failure or None,
    )
    return True


def _failure(claim: Claim, sandbox: Sandbox, cause: str, reference: str) -> GradingReport:
    return GradingReport(
        attempt=claim.request.attempt,
        lab=claim.request.lab,
        lab_hash=claim.request.lab_hash,
        submission_sha256=claim.request.submission_sha256,
        wall=sandbox.wall,
        unsafe=sandbox.unsafe,
        failure=(cause or "The grader failed.")[:2000],
        reference_number=reference,
    )
