"""Keep a lease while an attempt is graded, and stop the grading when the lease is gone."""

import threading
import time
from types import TracebackType
from typing import Self

import structlog

from gpu_workers.client import CampusClient, CampusError, LeaseLostError, RefusedError
from grader.api import Claim

log = structlog.get_logger()

RETRY_SECONDS = 1.0


class HeartbeatThread:
    """Renews the lease of one claim while the block runs.

    `cancelled` is set when campus says cancel, when the lease is lost, and when campus has not been
    reached for so long that it must be lost: by then another worker may be at it.
    """

    def __init__(self, client: CampusClient, claim: Claim, cancelled: threading.Event) -> None:
        self._client, self._claim, self._cancelled = client, claim, cancelled
        self._over = threading.Event()
        # From before the claim was answered would be safer still; campus adds a margin by its sweep.
        self._renewed = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(
            0.1
        )  # a call in flight ends by itself; its answer does not matter any more

    def _run(self) -> None:
        pause = float(self._claim.heartbeat_seconds)
        while not self._over.wait(pause):
            asked = time.monotonic()
            try:
                decision = self._client.heartbeat(self._claim)
            except LeaseLostError:
                return self._stop("lease_lost")
            except (CampusError, RefusedError) as error:
                if time.monotonic() - self._renewed > self._claim.lease_seconds:
                    return self._stop("lease_ran_out")
                log.warning(
                    "heartbeat_missed", attempt=self._claim.request.attempt, error=str(error)
                )
                pause = RETRY_SECONDS
                continue
            if decision == "cancel":
                return self._stop("cancelled_by_campus")
            self._renewed = asked
            pause = float(self._claim.heartbeat_seconds)
        return None

    def _stop(self, reason: str) -> None:
        if not self._over.is_set():
            log.warning("grading_stopped", attempt=self._claim.request.attempt, reason=reason)
        self._cancelled.set()
