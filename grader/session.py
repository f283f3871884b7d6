"""One submission's notebook, kept alive for its checks in as many jails as its crashes cost.

A cell that kills the process (a segfault, `os._exit`, out of memory, an endless loop) is left out of
the next run, so that it costs its own exercise and not the others. All runs together may take a few
times what one may: a submission cannot hold a worker for as long as it likes.

Frames from the jail are hostile here: every field is tested for its type before it is used.
"""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from grader.inside.wire import WireClosed, WireError, WireTimeout
from grader.notebook import CodeCell
from grader.protocol import CellResult, ExceptionInfo, Limits, TraceLine, Verdict
from grader.sandbox.base import Sandbox
from grader.sandbox.jail import CpuExceeded, Exchange, Jail, MemoryExceeded, OutputFlood

BEGINNINGS = 3  # of a check whose process something else has ended before it began
RUNS = 8  # the notebook may run this many times its limit, all its runs together


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended that was not asked to end: whose limit it met, in one sentence."""

    verdict: Verdict
    message: str


class NotebookEnded(Exception):
    """The notebook that should answer a check could not be run to its end."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.message)
        self.ending = ending


def clean(text: Any, most: int) -> str:
    """Hostile text, cut, without what a database could choke on.

    What is no text is only named: to print two thousand arrays would take us minutes.
    """
    if not isinstance(text, str | BaseException):
        text = f"<{type(text).__name__}>"
    kept = str(text)[:most].replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return kept.encode("utf-8", "replace").decode()


def _next_cell(told: Any, current: int, count: int) -> int:
    """The cell that starts; each is told once and in order, or a flood of frames would go on for ever."""
    if type(told) is not int or told != current + 1 or told >= count:
        raise WireError("the notebook told its cells in another order")
    return told


def seconds_told(told: Any) -> float:
    """A duration as the jail told it: for reading, never for points."""
    if type(told) is not float or not math.isfinite(told):
        return 0.0
    return min(max(0.0, told), 86_400.0)


def ending_of(
    error: BaseException, status: int | None, limits: Limits, *, notebook: bool = False
) -> Ending:
    """The verdict for an exchange that ended without its answer: a check's, or the notebook's own."""
    if isinstance(error, CpuExceeded):
        seconds = limits.cpu_seconds if notebook else limits.check_cpu_seconds
        return Ending(
            Verdict.TIMED_OUT, f"used more than the {seconds:g} s of processor time that it may use"
        )
    if isinstance(error, WireTimeout):
        seconds = limits.notebook_wall_seconds if notebook else limits.check_wall_seconds
        return Ending(Verdict.TIMED_OUT, f"ran longer than the {seconds:g} s that it may take")
    if isinstance(error, MemoryExceeded):
        return Ending(
            Verdict.OUT_OF_MEMORY, f"used more than the {limits.memory_mib} MiB that it may use"
        )
    if isinstance(error, OutputFlood):
        return Ending(Verdict.OUTPUT_LIMIT, f"printed far more than {limits.output_kib} KiB")
    if isinstance(error, WireError):
        return Ending(Verdict.REJECTED, clean(f"gave an answer that was refused: {error}", 500))
    if status is None or status >= 0:
        code = "" if status is None else f" with exit code {status}"
        return Ending(Verdict.ERROR, f"ended its own process{code}")
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return Ending(Verdict.ERROR, f"crashed the process ({name})")


@dataclass(slots=True)
class NotebookSession:
    """Runs the cells once and forks for checks; runs them again when a check took the jail along.

    Raises everywhere:
        WallError: our side failed. Cancelled: the grading is to end.
    """

    sandbox: Sandbox
    zygote: str
    limits: Limits
    cells: list[CodeCell]
    cancelled: Callable[[], bool]
    forbid: tuple[str, ...] = ()  # functions that raise in the jail
    fresh: bool = (
        False  # checks are asked in groups, each in a process that ran the notebook for it
    )
    results: dict[str, CellResult] = field(default_factory=dict)
    stdout: str = ""
    stages: dict[str, float] = field(default_factory=dict)
    forkable: bool = True
    gpu: bool = False  # the checks that are asked next touch CUDA
    in_place: bool = False  # the notebook's own process answers, one check after the other
    asked: int = 0  # checks that this very process was given
    hopeless: Ending | None = None
    _jail: Jail | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _left_out: dict[str, CellResult] = field(default_factory=dict)
    _told: bool = False  # what cells printed and how they ended stays as it is
    _forgiven: bool = False  # a kill that may have come from outside the jail was forgiven once

    def _add(self, stage: str, began: float) -> None:
        self.stages[stage] = self.stages.get(stage, 0.0) + time.perf_counter() - began

    def _open(self) -> Jail:
        began = time.perf_counter()
        jail = self.sandbox.open_jail(self.zygote, self.limits)
        jail.cancelled = self.cancelled
        self._add("jail", began)
        return jail

    def ensure_notebook(self) -> None:
        """Have a jail in which the notebook has run, or know that none can be had."""
        with self._lock:
            while self._jail is None and self.hopeless is None:
                if (spent := self._spent()) is not None:
                    self.hopeless = spent
                    return
                jail = self._open()
                self.asked = 0
                exchange = self._run(jail, answer_here=False)
                if isinstance(exchange, Exchange):
                    exchange.close()
                    self._jail = jail

    def keep_what_was_told(self) -> None:
        """From now on runs of the notebook change neither its output nor the results of its cells.

        Hidden checks are asked next. One of them can have the notebook run again, at a moment of its
        choice, and a cell that prints the time would tell that moment.
        """
        self._told = True

    def _note(self, result: CellResult) -> None:
        if not self._told or result.cell not in self.results:
            self.results[result.cell] = result

    def _note_output(self, exchange: Exchange) -> None:
        exchange.drain()
        if not self._told:
            self.stdout = exchange.output.text()

    def _spent(self) -> Ending | None:
        """Why the notebook may not run once more."""
        if self.stages.get("notebook", 0.0) <= RUNS * self.limits.notebook_wall_seconds:
            return None
        return Ending(Verdict.TIMED_OUT, f"had to run again too often: over {RUNS} times its limit")

    def _run(self, jail: Jail, *, answer_here: bool) -> Exchange | Ending | None:
        """Run every cell that is not left out. A cell that ended the process is left out from now on.

        None: the process was killed, which an operator or the host's own out-of-memory killer may have
        done as well as the student. That is forgiven once; whoever kills himself will do it again.
        """
        began = time.perf_counter()
        cells = [cell for cell in self.cells if cell.id not in self._left_out]
        exchange = jail.start_notebook()
        current = -1
        try:
            exchange.say(
                {
                    "cells": [[cell.id, cell.source] for cell in cells],
                    "answer_here": answer_here,
                    "forbid": list(self.forbid),
                    "in_place": self.fresh,
                    "gpu": self.gpu,
                }
            )
            while True:
                frame = exchange.hear()
                if isinstance(frame, dict) and frame.keys() == {"start"}:
                    current = _next_cell(frame["start"], current, len(cells))
                    continue
                self._take_results(cells, frame)
                self._note_output(exchange)
                return exchange
        except (WireTimeout, WireClosed, MemoryExceeded, OutputFlood, WireError) as error:
            status = jail.wait_for_end() if isinstance(error, WireClosed) else None
            jail.require_wall()
            ending = ending_of(error, status, self.limits, notebook=True)
            self._note_output(exchange)
            exchange.close()
            jail.close()
            killed = isinstance(error, WireClosed) and status in (None, -signal.SIGKILL)
            if killed and not self._forgiven:
                self._forgiven = True
                return None
            self._leave_out(cells, current, ending)
            return ending
        except BaseException:
            exchange.close()
            jail.close()
            raise
        finally:
            self._add("notebook", began)

    def _leave_out(self, cells: list[CodeCell], index: int, ending: Ending) -> None:
        if index < 0:
            self.hopeless = ending
            return
        cell = cells[index]
        info = ExceptionInfo(
            type=ending.verdict.value,
            text=f"cell {cell.id} {ending.message}",
            trace=(TraceLine(cell=cell.id, line=0),),
        )
        self._left_out[cell.id] = CellResult(cell=cell.id, ended="error", exception=info)
        self._note(self._left_out[cell.id])

    def _take_results(self, cells: list[CodeCell], frame: Any) -> None:
        if not isinstance(frame, dict) or not isinstance(frame.get("cells"), list):
            raise WireError("the notebook answered something else than how its cells ended")
        self.forkable = frame.get("forkable") is True
        self.in_place = self.fresh and not self.forkable
        if len(frame["cells"]) != len(cells):
            raise WireError("the notebook answered for other cells than it has")
        for cell, told in zip(cells, frame["cells"], strict=True):
            if not isinstance(told, dict):
                raise WireError("a cell's end is not described as one")
            error = told.get("error")
            self._note(
                CellResult(
                    cell=cell.id,
                    ended="ok" if error is None else "error",
                    exception=None if error is None else self.exception(error),
                    seconds=seconds_told(told.get("seconds")),
                )
            )

    def exception(self, told: Any) -> ExceptionInfo:
        """A student's exception as the jail told it; source lines come from what was handed in."""
        if not isinstance(told, dict) or not isinstance(told.get("trace"), list):
            raise WireError("an exception is not described as one")
        sources = {cell.id: cell.source.splitlines() for cell in self.cells}
        trace = []
        for entry in told["trace"][:50]:
            if not (isinstance(entry, list) and len(entry) == 3):
                continue
            cell, line, function = entry
            if not isinstance(cell, str) or cell not in sources:
                continue
            line = line if type(line) is int and 0 < line <= len(sources[cell]) else 0
            text = sources[cell][line - 1] if line else ""
            trace.append(
                TraceLine(
                    cell=cell, line=line, source=clean(text, 400), function=clean(function, 200)
                )
            )
        return ExceptionInfo(
            type=clean(told.get("type", "Exception"), 200),
            text=clean(told.get("text", ""), 2000),
            trace=tuple(trace),
        )

    @contextmanager
    def question(self, limits: Limits) -> Iterator[Exchange]:
        """A channel to a fresh copy of the notebook's state, for one check.

        Where the state cannot be forked (another thread lives, a process group exists) the notebook
        is run again for this check alone; with `fresh` its own process answers.

        Raises:
            NotebookEnded: no notebook can be had to ask.
        """
        self.ensure_notebook()
        shared = self._jail
        if shared is not None and (self.forkable or self.in_place):
            shared.hear_init()
            if (
                shared.student_ended
            ):  # an earlier check killed it: no fault of the one that is asked now
                self._discard(shared)
                self.ensure_notebook()
                shared = self._jail
        if shared is None:
            raise NotebookEnded(self.hopeless or Ending(Verdict.ERROR, "ended its own process"))
        if self.forkable or self.in_place:
            jail = shared
            self.asked += 1
            try:
                exchange = jail.start_check(limits)
            except WireClosed:
                self._discard(jail)
                raise
        else:
            if (spent := self._spent()) is not None:
                raise NotebookEnded(spent)
            jail = self._open()
            again = self._run(jail, answer_here=True)
            if again is None:
                jail = self._open()
                again = self._run(jail, answer_here=True)
            if not isinstance(again, Exchange):
                raise NotebookEnded(again or Ending(Verdict.ERROR, "ended its own process"))
            exchange = again
            exchange.begin(limits, limits.check_wall_seconds)
        try:
            yield exchange
        finally:
            exchange.close()
            if jail is not shared:
                jail.close()

    def leave_process(self) -> None:
        """Whatever is asked next is asked in another process, which runs the notebook anew."""
        if self._jail is not None:
            self._discard(self._jail)

    def _discard(self, jail: Jail) -> None:
        """The notebook's process or its jail is gone; the next check runs the notebook again."""
        with self._lock:
            if self._jail is jail:
                self._jail = None
        jail.close()

    @staticmethod
    def not_begun(error: BaseException, exchange: Exchange | None) -> bool:
        """After `after_trouble`: whether the check ended before it had a process of its own.

        What an earlier check did can still kill the notebook's process when this one is asked. So it is
        not this one's fault, and it is asked again, of a notebook that has run anew.
        """
        return isinstance(error, WireClosed) and (exchange is None or not exchange.has_begun())

    def after_trouble(self, error: BaseException, exchange: Exchange | None) -> int | None:
        """Put things right after a check that did not answer; the notebook's status if it ended."""
        if (
            exchange is None or exchange.number == 0
        ):  # there was no jail, or one for this check alone
            return None
        jail = exchange.jail
        if isinstance(error, WireClosed):
            jail.wait_for_end(0.2 if self.in_place else 0.05)
        jail.require_wall()
        if not self.in_place and not jail.over_memory and jail.stop(exchange.number):
            return None
        self._discard(jail)
        return jail.student_status

    def close(self) -> None:
        """End the jail."""
        if self._jail is not None:
            self._jail.close()
            self._jail = None
