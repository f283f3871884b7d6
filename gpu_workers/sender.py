"""Tell campus the verdicts as they fall, without grading ever waiting for HTTP."""

import threading

import structlog

from gpu_workers.client import CampusClient, CampusError, LeaseLostError, RefusedError
from grader.api import CheckResult, Claim

log = structlog.get_logger()

# Verdicts of a small lab fall every few milliseconds; a call for each would take the processor away
# from the grading that they come from, and nobody reads that fast.
BREATH_SECONDS = 0.06


class ResultSender:
    """One call in flight at a time; what piles up meanwhile goes along with the next.

    Nothing depends on it: the final report has all results again, so on trouble this only falls silent.
    """

    def __init__(self, client: CampusClient, claim: Claim, cancelled: threading.Event) -> None:
        self._client, self._claim, self._cancelled = client, claim, cancelled
        self._news = threading.Condition()
        self._waiting: list[CheckResult] = []
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="results", daemon=True)
        self._thread.start()

    def put(self, result: CheckResult) -> None:
        """Returns at once."""
        with self._news:
            self._waiting.append(result)
            self._news.notify()

    def close(self) -> None:
        """Wait for the call in flight; what has not been sent is left to the final report."""
        with self._news:
            self._closed = True
            self._waiting.clear()
            self._news.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._closed or self._waiting)
                if self._closed:
                    return
                batch, self._waiting = self._waiting, []
            try:
                self._client.results(self._claim, batch, patience=0.0)
            except LeaseLostError:
                self._cancelled.set()
                return
            except (CampusError, RefusedError) as error:
                log.warning(
                    "results_not_sent", attempt=self._claim.request.attempt, error=str(error)
                )
            with self._news:
                self._news.wait_for(lambda: self._closed, BREATH_SECONDS)
