"""What Celery runs: the nudge, and the life of the pool's processes, each of which is one slot."""

import ctypes
import mmap
import os
import signal
import sys
import time
from types import FrameType
from typing import Any

import structlog
from billiard import current_process
from celery.signals import (
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_shutting_down,
)

from gpu_workers.app import app
from gpu_workers.client import CampusClient
from gpu_workers.settings import settings
from gpu_workers.slots import Slot, zygotes_for
from grader.errors import GraderError, LabError, WallError
from grader.protocol import Limits
from grader.referee import referee_for
from grader.sandbox import Sandbox, open_sandbox
from grader.sandbox.warm import WarmSandbox
from labs.catalog import find_labs

log = structlog.get_logger()

PR_SET_PDEATHSIG = 1
RESPAWN_SECONDS = 2.0
WALL_TRIES = 2  # a host that is out of memory for a moment may build one the next

# One byte that the pool's processes share with their parent: 1 once the worker has been asked to stop.
_stopping = mmap.mmap(-1, 1)
_parent = os.getpid()
_slot: Slot | None = None
_shared: Sandbox | None = None  # made before the pool's processes are forked


def grade_next(attempt: str = "") -> None:
    """There may be something to claim. `attempt` is for the log; what is claimed campus decides."""
    if _slot is not None:
        _slot.work()


def refuse_without_a_wall(**_: Any) -> None:
    """Prove once that this host can build a wall, before anything is claimed."""
    global _parent  # noqa: PLW0603
    _parent = os.getpid()
    if not settings().token:
        sys.exit(
            "No worker token. On the site's machine: .venv/bin/python manage.py worker_token create "
            "NAME; then start the worker with GRADUS_WORKER_TOKEN set to what it prints."
        )
    for further_tries in reversed(range(WALL_TRIES)):
        try:
            return _keep_or_close(open_sandbox(wall=settings().wall))
        except Exception as error:  # Celery would only log it and go on without a wall
            if not further_tries:
                sys.exit(f"This worker does not start; nothing runs without a wall: {error}")
            log.warning("wall_failed", error=str(error))
            time.sleep(RESPAWN_SECONDS)
    return None


def _keep_or_close(sandbox: Sandbox) -> None:
    """Zygotes are made here, once: the slots, which are forks of this process, share
    them."""
    global _shared  # noqa: PLW0603
    if not isinstance(sandbox, WarmSandbox):
        return sandbox.close()
    _shared = sandbox
    try:
        labs = find_labs().values()
    except LabError:  # the slots say which, and offer the others
        return None
    gpu = "gpu" in settings().worker_capabilities
    for kind in zygotes_for(lab for lab in labs if gpu or lab.zygote != "torch-gpu"):
        try:
            sandbox.open_jail(kind, Limits()).close()
        except WallError as error:  # every slot will find the same, and not offer these labs
            log.warning("zygote_failed", zygote=kind, error=str(error))
    return None


def open_slot(**_: Any) -> None:
    """In each of the pool's processes: warm up, announce, look for work."""
    global _slot  # noqa: PLW0603
    _die_with_parent()
    try:
        _slot = _warm_slot()
    except Exception:  # a process without a slot would swallow nudges: let the pool make another
        log.exception("slot_not_opened")
        time.sleep(RESPAWN_SECONDS)
        os._exit(1)
    if _slot.sandbox.unsafe:
        log.warning("grading_without_a_wall", remedy="unset GRADUS_UNSAFE_NO_SANDBOX")
    _slot.start()


def _warm_slot() -> Slot:
    slot = Slot(
        settings(),
        CampusClient(settings().campus_url, settings().token),
        _shared or open_sandbox(wall=settings().wall),
        index=getattr(current_process(), "index", 0),
        stopping=asked_to_stop,
    )
    slot.warm_up()
    for lab in slot.offered_labs().values():
        if lab.kind == "classic":
            continue  # its notebook is its own judge
        try:
            referee_for(lab)
        except GraderError as error:
            log.error("lab_broken", lab=lab.slug, error=str(error))  # noqa: TRY400
    return slot


def close_slot(**_: Any) -> None:
    if _slot is not None:
        _slot.close()


def drain(**_: Any) -> None:
    """Finish what is being graded and claim nothing more; a second signal ends everything at once."""
    _stopping[0] = 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _quit)


def asked_to_stop() -> bool:
    """Whether this process should claim nothing more."""
    return _stopping[0] == 1 or os.getppid() != _parent


def _quit(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)  # the pool's processes and their zygotes die with this one


def _die_with_parent() -> None:
    """A pool process whose parent was killed would keep its attempt, and claim more, unseen."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != _parent:
            os._exit(1)


app.task(name="gpu_workers.grade_next")(grade_next)
worker_init.connect(refuse_without_a_wall)
worker_process_init.connect(open_slot)
worker_process_shutdown.connect(close_slot)
worker_shutting_down.connect(drain)
