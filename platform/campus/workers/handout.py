"""Hand attempts to workers and take their reports back."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from campus.gradebook.record import record_attempt
from campus.submissions import lease
from campus.submissions.errors import LeaseLostError
from campus.submissions.lease import Holder, token_hash
from campus.submissions.models import Attempt
from campus.submissions.sweep import requeue_expired
from campus.workers.models import Worker
from grader.api import CheckResult, Claim, GradingReport, GradingRequest
from labs.catalog import Lab, LabError, get_lab

log = structlog.get_logger()

_told_to_differ: set[tuple[str, str, str]] = set()  # a worker asks every few seconds; say it once


def hand_out(worker: Worker, now: datetime) -> Claim | None:
    """The next attempt for this worker, or None. Expired leases come back into the queue first, so
    nothing waits for the sweep as long as any worker asks."""
    requeue_expired(now)
    labs = _labs_in_common(worker)
    if not labs:
        return None
    holder = Holder(worker.name, worker.boot, worker.wall, worker.unsafe)
    claimed = lease.claim(labs=labs, capabilities=worker.capabilities, holder=holder, now=now)
    if claimed is None:
        return None
    return Claim(
        request=grading_request(claimed.attempt),
        lease_token=claimed.lease_token,
        lease_seconds=settings.GRADUS_LEASE_SECONDS,
        heartbeat_seconds=settings.GRADUS_HEARTBEAT_SECONDS,
    )


def grading_request(attempt: Attempt) -> GradingRequest:
    """All that a worker is told. Of the course's secret it gets the seed of this one submission."""
    submission = attempt.submission
    return GradingRequest(
        attempt=str(attempt.pk),
        lab=submission.assignment.lab,
        lab_hash=attempt.lab_hash,
        submission_sha256=submission.sha256,
        seed=seed(submission.assignment.course.slug, attempt.lab_hash, submission.sha256),
        notebook=submission.notebook,
    )


def seed(course: str, lab_hash: str, submission_sha256: str) -> str:
    """The same submission always meets the same hidden inputs; a changed one, or another course, others."""
    message = f"{course}|{lab_hash}|{submission_sha256}".encode()
    return hmac.new(settings.GRADUS_COURSE_SECRET.encode(), message, hashlib.sha256).hexdigest()


def take_results(
    attempt_id: UUID, lease_token: str, results: Sequence[CheckResult], now: datetime
) -> None:
    """Store verdicts while the rest is still being graded.

    Raises:
        LeaseLostError, ReportRefusedError: as `lease.check_done`.
    """
    lab = _lab_being_graded(attempt_id, lease_token, now)
    lease.check_done(
        attempt_id=attempt_id, lease_token=lease_token, results=results, lab=lab, now=now
    )


def take_report(
    attempt_id: UUID, lease_token: str, report: GradingReport, now: datetime
) -> Attempt:
    """End the attempt; its results, its score and the ledger's entry are one transaction.

    Raises:
        LeaseLostError, ReportRefusedError: as `lease.finish`.
    """
    lab = _lab_being_graded(attempt_id, lease_token, now)
    with transaction.atomic():
        attempt = lease.finish(
            attempt_id=attempt_id, lease_token=lease_token, report=report, lab=lab, now=now
        )
        if attempt.outcome == Attempt.Outcome.GRADED:
            record_attempt(attempt, now)
    log.info(
        "attempt_reported",
        attempt=str(attempt_id),
        state=attempt.state,
        outcome=attempt.outcome,
        failure=report.failure,
        reference_number=report.reference_number,
    )
    return attempt


def _labs_in_common(worker: Worker) -> dict[str, str]:
    """Labs of which the worker has exactly the version that this site has."""
    common = {}
    for slug, content_hash in worker.labs.items():
        try:
            here = get_lab(slug).content_hash
        except LabError:
            continue
        if here == content_hash:
            common[slug] = content_hash
        elif (worker.name, slug, content_hash) not in _told_to_differ:
            _told_to_differ.add((worker.name, slug, content_hash))
            log.warning("lab_versions_differ", worker=worker.name, lab=slug)
    return common


def _lab_being_graded(attempt_id: UUID, lease_token: str, now: datetime) -> Lab:
    """The lab, in the version that the attempt was handed out for. If it was edited meanwhile, nobody
    can tell what the results are worth: the attempt is requeued and graded by the new version."""
    held = Attempt.objects.running().filter(pk=attempt_id, lease_token=token_hash(lease_token))
    found = held.values_list("submission__assignment__lab", "lab_hash").first()
    if found is None:
        raise LeaseLostError
    slug, lab_hash = found
    lab = get_lab(slug)
    if lab.content_hash != lab_hash:
        lease.requeue(held, now)
        log.warning("lab_changed_while_grading", attempt=str(attempt_id), lab=slug)
        raise LeaseLostError
    return lab
