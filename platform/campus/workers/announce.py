"""A worker says that it is there. A new boot id under a known name means that it was started again."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from campus.submissions.lease import requeue
from campus.submissions.models import Attempt
from campus.workers.errors import NameTakenError, UnsafeWorkerError
from campus.workers.models import Worker, WorkerToken
from grader.api import WorkerAnnouncement

log = structlog.get_logger()

FRESH = timedelta(seconds=5)  # younger rows are not written again: claims announce, too


def announce(*, token: WorkerToken, announcement: WorkerAnnouncement, now: datetime) -> Worker:
    """Remember the worker; what an earlier process of its name was grading is requeued at once.

    Raises:
        NameTakenError: a later process has announced under this name.
        UnsafeWorkerError: it has no wall, and this site refuses such workers. It is remembered all the
            same, so that an operator sees it.
    """
    worker = _remember(token, announcement, now)
    if announcement.unsafe and not settings.GRADUS_ALLOW_UNSAFE_WORKERS:
        raise UnsafeWorkerError(
            f"{announcement.name} grades without a wall, and this site does not accept that. "
            "Unset GRADUS_UNSAFE_NO_SANDBOX on the worker and make a wall available."
        )
    return worker


def _remember(token: WorkerToken, announcement: WorkerAnnouncement, now: datetime) -> Worker:
    facts: dict[str, Any] = {
        "capabilities": list(announcement.capabilities),
        "labs": announcement.labs,
        "wall": announcement.wall,
        "unsafe": announcement.unsafe,
        "software": announcement.software,
    }
    rows = Worker.objects.filter(token=token, name=announcement.name)
    worker = rows.first()
    if worker is None:
        born = {"boot": announcement.boot, "started_at": now, "last_seen_at": now, **facts}
        try:
            with transaction.atomic():
                return Worker.objects.create(token=token, name=announcement.name, **born)
        except IntegrityError:  # announced twice at the same instant
            worker = rows.get()
    if worker.boot == announcement.boot:
        unchanged = all(getattr(worker, name) == value for name, value in facts.items())
        if not unchanged or worker.last_seen_at < now - FRESH:
            rows.filter(boot=worker.boot).update(last_seen_at=now, **facts)
        return worker
    if worker.previous_boot == announcement.boot:
        raise NameTakenError(
            f"Another process has announced itself as {announcement.name}. "
            "Give each worker on a host its own GRADUS_WORKER_NAME."
        )
    return _started_again(worker, announcement, facts, now)


def _started_again(
    worker: Worker, announcement: WorkerAnnouncement, facts: dict[str, Any], now: datetime
) -> Worker:
    earlier = worker.boot
    with transaction.atomic():
        Worker.objects.filter(pk=worker.pk, boot=earlier).update(
            boot=announcement.boot,
            previous_boot=earlier,
            started_at=now,
            last_seen_at=now,
            **facts,
        )
        requeued = requeue(Attempt.objects.held_by(worker.name, earlier), now)
    log.info("worker_started_again", worker=worker.name, requeued=requeued)
    worker.refresh_from_db()
    return worker
