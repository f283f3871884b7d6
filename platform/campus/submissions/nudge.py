"""Tell the workers that there is something to claim, or do without.

Losing a nudge costs seconds at most: idle workers look by themselves, and the sweep nudges again. So a
broker that is down must never be felt by whoever submits: one short try, and then none for a while.
"""

import time

import structlog
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from campus.celery import NUDGE_TASK, app

log = structlog.get_logger()

REST_SECONDS = 5.0
NUDGE_LIVES_SECONDS = 120  # an older one has been replaced by the sweep

_resting_until = 0.0


def nudge(capability: str, *, attempt: str = "") -> bool:
    """Send one nudge; False when the broker cannot be reached, which is never an error."""
    global _resting_until  # noqa: PLW0603
    if time.monotonic() < _resting_until:
        return False
    try:
        app.send_task(
            NUDGE_TASK,
            kwargs={"attempt": attempt},
            queue=capability,
            expires=NUDGE_LIVES_SECONDS,
            ignore_result=True,
            retry=False,
        )
    except (OperationalError, RedisError, OSError) as error:
        _resting_until = time.monotonic() + REST_SECONDS
        log.warning("nudge_not_sent", capability=capability, attempt=attempt, error=str(error))
        return False
    return True
