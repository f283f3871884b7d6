"""A slot: one process that grades one attempt at a time behind its own warm wall.

Work comes to it in two ways: a Celery message, and its own idle thread, which looks every few seconds.
The second makes the first dispensable: with the broker flushed or down, attempts wait seconds, never
for ever. Both only mean "claim and grade until nothing is left".
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import structlog

from gpu_workers.client import CampusClient, CampusError, RefusedError
from gpu_workers.grading import Grade, grade_claim
from gpu_workers.settings import WorkerSettings
from grader.api import Claim, ClaimRequest, WorkerAnnouncement
from grader.errors import LabError, WallError
from grader.protocol import Limits
from grader.runner import grade
from grader.sandbox import Sandbox
from labs.catalog import Lab, find_labs, get_lab

log = structlog.get_logger()

T = TypeVar("T")

SOFTWARE = "gradus 0.1.0"
TICK_SECONDS = 0.25
FIRST_LOOK_SECONDS = 0.5
RETRY_SECONDS = 300.0  # until a kind of zygote that did not warm up is tried again
SICK_SECONDS = (1.0, 3.0, 10.0, 30.0)  # rests after failures of ours in a row


class Slot:
    """One worker process as campus knows it: a name that survives a restart, a boot id that does not."""

    def __init__(
        self,
        settings: WorkerSettings,
        client: CampusClient,
        sandbox: Sandbox,
        *,
        index: int = 0,
        stopping: Callable[[], bool] = lambda: False,
        grade: Grade = grade,
    ) -> None:
        self.settings, self.client, self.sandbox = settings, client, sandbox
        self.name = f"{settings.worker_name}/{index}"
        self.boot = secrets.token_hex(16)
        self._stopping, self._grade = stopping, grade
        self._busy = threading.Lock()
        self._closed = threading.Event()
        self._cancelled = threading.Event()  # of the attempt that is being graded
        self._labs: Mapping[str, Lab] = {}
        self._cold: dict[str, float] = {}  # kinds of zygote that failed, and when to try again
        self._announced_at = 0.0
        self._rests_until = 0.0  # when it may claim again
        self._failures = 0  # of ours, in a row
        self._looks_every = FIRST_LOOK_SECONDS
        self._idle = threading.Thread(target=self._look_now_and_then, name="idle", daemon=True)

    def warm_up(self) -> None:
        """Build a jail of every kind that the labs here need; labs of a kind that fails are not offered."""
        for kind in zygotes_for(self.offered_labs().values()):
            try:
                self.sandbox.open_jail(kind, Limits()).close()
            except WallError as error:
                self._cold[kind] = time.monotonic() + RETRY_SECONDS
                log.error("zygote_failed", worker=self.name, zygote=kind, error=str(error))  # noqa: TRY400

    def start(self) -> None:
        """Announce, and look for work from now on."""
        self._announce()
        self._idle.start()
        log.info("slot_ready", worker=self.name, wall=self.sandbox.wall, labs=sorted(self._labs))

    def work(self) -> int:
        """Claim and grade until nothing is left; returns how many attempts were at hand.

        Returns at once when the slot is busy already: whoever is at it goes on until nothing is left.
        """
        if not self._busy.acquire(blocking=False):
            return 0
        done = 0
        try:
            while not self._ended() and time.monotonic() >= self._rests_until:
                claim = self._claim()
                if claim is None:
                    break
                self._grade_one(claim)
                done += 1
        finally:
            self._busy.release()
        if done:
            self._looks_every = FIRST_LOOK_SECONDS
        return done

    def close(self) -> None:
        """Stop looking, end what is being graded, and take down the wall."""
        self._closed.set()
        self._cancelled.set()
        if self._idle.is_alive():
            self._idle.join(5)
        self.sandbox.close()
        self.client.close()

    def offered_labs(self) -> Mapping[str, Lab]:
        """What this slot can grade; an edited lab is offered in its new version, a broken one not."""
        try:
            found = find_labs()
        except LabError as error:
            log.warning("lab_broken", worker=self.name, error=str(error))
            found = {slug: lab for slug in self._labs if (lab := _readable(slug)) is not None}
        gpu = "gpu" in self.settings.worker_capabilities
        now = time.monotonic()
        cold = {kind for kind, until in self._cold.items() if now < until}
        if not gpu:
            cold.add("torch-gpu")
        self._labs = {slug: lab for slug, lab in found.items() if lab.zygote not in cold}
        return self._labs

    def _ended(self) -> bool:
        return self._closed.is_set() or self._stopping()

    def _grade_one(self, claim: Claim) -> None:
        self._cancelled = threading.Event()
        with structlog.contextvars.bound_contextvars(worker=self.name):
            healthy = grade_claim(
                claim,
                client=self.client,
                sandbox=self.sandbox,
                grade=self._grade,
                cancelled=self._cancelled,
            )
        if healthy:
            self._failures = 0
            return
        rest = SICK_SECONDS[min(self._failures, len(SICK_SECONDS) - 1)]
        self._failures += 1
        self._rests_until = time.monotonic() + rest
        log.warning("slot_rests", worker=self.name, seconds=rest, failures_in_a_row=self._failures)

    def _facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "boot": self.boot,
            "capabilities": tuple(self.settings.worker_capabilities),
            "labs": {slug: lab.content_hash for slug, lab in self.offered_labs().items()},
            "wall": self.sandbox.wall,
            "unsafe": self.sandbox.unsafe,
            "software": SOFTWARE,
        }

    def _announce(self) -> None:
        """Tell campus, or try again later."""
        self._ask(lambda: self.client.announce(WorkerAnnouncement(**self._facts())))

    def _claim(self) -> Claim | None:
        return self._ask(lambda: self.client.claim(ClaimRequest(**self._facts())))

    def _ask(self, call: Callable[[], T]) -> T | None:
        """Trouble with campus is logged and looks like "nothing"; the idle thread asks again."""
        try:
            answer = call()
        except CampusError as error:
            log.warning("campus_unreachable", worker=self.name, error=str(error))
            return None
        except RefusedError as error:
            if error.code == "name_taken" and not self.name.endswith(self.boot[:6]):
                self.name = f"{self.name}-{self.boot[:6]}"
                log.warning("renamed", worker=self.name, because=error.detail)
                return self._ask(call)
            log.error("refused_by_campus", worker=self.name, error=str(error))  # noqa: TRY400
            return None
        self._announced_at = time.monotonic()
        return answer

    def _look_now_and_then(self) -> None:
        """The idle thread: claims when nobody nudges, less often the longer there is nothing."""
        stopping_since: float | None = None
        next_look = time.monotonic() + self._looks_every
        while not self._closed.wait(TICK_SECONDS):
            now = time.monotonic()
            if self._stopping():
                stopping_since = stopping_since or now
                if now - stopping_since > self.settings.drain_seconds:
                    self._cancelled.set()  # the lease is left to the next worker
            elif now >= next_look and not self._busy.locked():
                if not self.work():
                    self._looks_every = min(2 * self._looks_every, self.settings.idle_poll_seconds)
                next_look = time.monotonic() + self._looks_every
            elif now - self._announced_at > self.settings.announce_seconds:
                self._announce()


def zygotes_for(labs: Iterable[Lab]) -> tuple[str, ...]:
    """The kinds of zygote that these labs are graded in, each once; numpy for none at all."""
    return tuple(sorted({lab.zygote for lab in labs})) or ("numpy",)


def _readable(slug: str) -> Lab | None:
    try:
        return get_lab(slug)
    except LabError:
        return None
