"""`python -m grader doctor`: what this host lacks for grading, what is unsafe, what makes timings unreliable.

It never hangs and never shows a traceback: each look has a time limit, and a look that fails says so as a
finding. Whether a wall holds is not concluded from settings but shown by building a jail behind it and
looking around inside.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from grader.doctor import kernel, resources, walls
from grader.doctor.host import Host, problem, warning
from grader.doctor.report import Examination, Finding, Level

__all__ = ["Examination", "Finding", "Host", "Level", "examine"]

LOOK_SECONDS = 20.0
BUILD_SECONDS = 180.0

T = TypeVar("T")


def examine(
    host: Host | None = None, on_progress: Callable[[str], None] = lambda _: None
) -> Examination:
    """Look at everything on this host; takes some seconds, most of them for importing torch."""
    host = host or Host()
    began = time.monotonic()
    findings = []
    looks: tuple[tuple[str, Callable[[Host], list[Finding]]], ...] = (
        ("Kernel", kernel.examine),
        ("Memory", resources.examine_memory),
        ("Timing", resources.examine_timing),
        ("Limits of this user", resources.examine_limits),
    )
    for group, look in looks:
        on_progress(group)
        findings += _within(LOOK_SECONDS, group, look, host)
    on_progress("Walls: building jails")
    built, error = _call(BUILD_SECONDS, walls.examine, host)
    if built is None:
        remedy = "see Kernel and Zygotes; then run this again"
        built = ((), [problem("Walls", "jails", f"none could be built: {error}", remedy)])
    on_progress("Zygotes: importing")
    zygotes = _within(BUILD_SECONDS, "Zygotes", walls.examine_zygotes, host)
    return Examination(
        walls=built[0],
        findings=(*built[1], *zygotes, *findings),
        seconds=time.monotonic() - began,
    )


def _within(
    seconds: float, group: str, look: Callable[[Host], list[Finding]], host: Host
) -> list[Finding]:
    found, error = _call(seconds, look, host)
    if found is None:
        remedy = "the rest was looked at all the same"
        return [warning(group, "examination", f"could not be finished: {error}", remedy)]
    return found


def _call(seconds: float, function: Callable[[Host], T], host: Host) -> tuple[T | None, str]:
    """What it returns, or why it did not; a look that hangs is left behind."""
    outcome: list[T] = []
    trouble: list[str] = []

    def run() -> None:
        try:
            outcome.append(function(host))
        except Exception as error:  # the edge: an operator gets a finding, never a traceback
            trouble.append(f"{type(error).__name__}: {error}")

    thread = threading.Thread(target=run, name=function.__module__, daemon=True)
    thread.start()
    thread.join(seconds)
    if outcome:
        return outcome[0], ""
    return None, trouble[0] if trouble else f"no answer within {seconds:g} s"
