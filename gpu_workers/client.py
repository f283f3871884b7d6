"""How a worker talks to campus: one keep-alive HTTP client a slot, retries only where they are harmless."""

import time
from collections.abc import Sequence
from typing import Literal

import httpx
import structlog
from pydantic import BaseModel

from grader.api import (
    CheckDone,
    CheckResult,
    Claim,
    ClaimRequest,
    Finish,
    GradingReport,
    Heartbeat,
    HeartbeatAnswer,
    WorkerAnnouncement,
)

log = structlog.get_logger()

TIMEOUT = httpx.Timeout(10.0, connect=3.0)
# Shorter than any server keeps an idle connection, or a request could meet one that is just closing.
LIMITS = httpx.Limits(max_keepalive_connections=4, keepalive_expiry=3.0)
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 3.0


class CampusError(Exception):
    """Campus could not be reached, or it could not answer."""


class RefusedError(Exception):
    """Campus understood and said no. `code` is campus's word for why."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail = status, code, detail


class LeaseLostError(RefusedError):
    """The attempt is somebody else's now: stop, and forget it."""


class CampusClient:
    """The worker API, as typed calls. May be used by several threads."""

    def __init__(
        self, campus_url: str, token: str, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._http = httpx.Client(
            base_url=f"{campus_url.rstrip('/')}/api/workers/v1/",
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            timeout=TIMEOUT,
            limits=LIMITS,
            transport=transport,
            trust_env=False,
        )

    def announce(self, announcement: WorkerAnnouncement) -> None:
        """Tell campus that this slot is there."""
        self._post("announce", announcement)

    def claim(self, request: ClaimRequest) -> Claim | None:
        """The next attempt, or None. Never repeated: an answer that got lost may hold an attempt, which
        comes back when its lease runs out."""
        answer = self._post("claim", request)
        return None if answer.status_code == 204 else Claim.model_validate_json(answer.content)

    def heartbeat(self, claim: Claim) -> Literal["continue", "cancel"]:
        """Prolong the lease, once: the caller keeps its own time."""
        answer = self._post(_attempt(claim, "heartbeat"), Heartbeat(lease_token=claim.lease_token))
        return HeartbeatAnswer.model_validate_json(answer.content).decision

    def results(self, claim: Claim, results: Sequence[CheckResult], *, patience: float) -> None:
        """Verdicts that have just fallen; the same ones again change nothing."""
        sent = CheckDone(lease_token=claim.lease_token, results=tuple(results))
        self._post(_attempt(claim, "results"), sent, patience=patience)

    def finish(self, claim: Claim, report: GradingReport, *, patience: float) -> None:
        """The whole report. Repeated for `patience` seconds: a second one is refused, never counted."""
        sent = Finish(lease_token=claim.lease_token, report=report)
        self._post(_attempt(claim, "finish"), sent, patience=patience)

    def close(self) -> None:
        self._http.close()

    def _post(self, path: str, message: BaseModel, *, patience: float = 0.0) -> httpx.Response:
        """POST until campus answers or `patience` seconds are over.

        Raises:
            RefusedError: campus said no.
            CampusError: no usable answer in time.
        """
        content = message.model_dump_json()
        ends = time.monotonic() + patience
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._once(path, content)
            except CampusError as error:
                if time.monotonic() + pause > ends:
                    raise
                log.warning("campus_unreachable", path=path, error=str(error))
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _once(self, path: str, content: str) -> httpx.Response:
        try:
            answer = self._http.post(path, content=content)
        except httpx.TransportError as error:
            raise CampusError(f"{type(error).__name__}: {error}") from error
        if answer.is_success:
            return answer
        if answer.is_server_error or answer.status_code == 429:
            raise CampusError(f"{answer.status_code} from {path}")
        code, detail = _reason(answer)
        if code == "lease_lost":
            raise LeaseLostError(answer.status_code, code, detail)
        raise RefusedError(answer.status_code, code, detail)


def _attempt(claim: Claim, what: str) -> str:
    return f"attempts/{claim.request.attempt}/{what}"


def _reason(answer: httpx.Response) -> tuple[str, str]:
    try:
        found = answer.json()
        return str(found.get("code", "refused")), str(found.get("detail", ""))[:500]
    except (ValueError, AttributeError):
        return "refused", answer.text[:200]
