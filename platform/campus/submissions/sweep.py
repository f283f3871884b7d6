"""Bring back what nobody is working on. Run often, by anybody, at the same time: it changes nothing twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import django
import structlog
from django.conf import settings
from django.db import close_old_connections, transaction
from django.utils import timezone

from campus.submissions.lease import requeue
from campus.submissions.models import Attempt
from campus.submissions.nudge import nudge

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Swept:
    """How many attempts were requeued, and for how many a nudge was sent again."""

    requeued: int
    nudged: int


def requeue_expired(now: datetime) -> int:
    """Attempts whose worker has not been heard of: cheap enough to do before every claim."""
    requeued = requeue(Attempt.objects.with_expired_lease(now), now)
    if requeued:
        log.warning("leases_expired", requeued=requeued)
    return requeued


def sweep(now: datetime) -> Swept:
    """Requeue expired leases, and nudge again for what has been waiting unclaimed."""
    requeued = requeue_expired(now)
    waiting = Attempt.objects.queued().exclude(
        nudged_at__gte=now - timedelta(seconds=settings.GRADUS_SWEEP_SECONDS)
    )
    nudged = 0
    for capability in set(waiting.values_list("capability", flat=True)):
        # One nudge wakes a slot, which then grades until nothing is left; a few wake a few slots.
        keys = list(waiting.filter(capability=capability).values_list("pk", flat=True)[:8])
        Attempt.objects.queued().filter(pk__in=keys).update(nudged_at=now)
        for _ in keys:
            transaction.on_commit(lambda capability=capability: nudge(capability), robust=True)  # type: ignore[misc]
        nudged += len(keys)
    return Swept(requeued, nudged)


def sweep_at_the_edge() -> None:
    """For a process that does nothing else: a failure is logged and the next round tries again."""
    django.setup()
    try:
        close_old_connections()
        sweep(timezone.now())
    except Exception:
        log.exception("sweep_failed")
