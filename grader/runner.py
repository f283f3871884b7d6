"""`grade`: one request in, one report out, each verdict told as it falls.

What the student's code does is a verdict; what fails on our side is a `GraderError`, which the worker
turns into `internal_error`. Nothing that the student's process says about itself earns a point: it only
answers, and the referee compares.
"""

import os
import sys
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Any

from grader import forbid, notebook
from grader.checks import Check
from grader.classic import grade_classic
from grader.conversation import Answered, Conversation
from grader.errors import Cancelled, GraderError, NotebookError
from grader.fitting import fitted
from grader.inside.wire import WireClosed, WireError, WireTimeout
from grader.lanes import Lanes
from grader.naming import Namer
from grader.notebook import CodeCell
from grader.protocol import (
    CellResult,
    CheckResult,
    ExceptionInfo,
    Flag,
    GradingReport,
    GradingRequest,
    Limits,
    Verdict,
)
from grader.ranks import RankConversation, RankSessions
from grader.referee import Referee, describe_inputs, referee_for
from grader.sandbox.base import Sandbox
from grader.sandbox.jail import CpuExceeded, Exchange, MemoryExceeded, OutputFlood
from grader.scoring import points_for, total, waiting_for_a_human
from grader.session import BEGINNINGS, NotebookEnded, NotebookSession, clean, ending_of
from labs.catalog import Lab, get_lab

# Lanes hand the interpreter to each other; the default of 5 ms would be most of a check's time.
sys.setswitchinterval(0.0005)

OnResult = Callable[[CheckResult], None]
SHOWN_OUTPUT = 4_000
# What no other check can bring about: an exception of these is not asked for a second time.
OWN_EXCEPTIONS = {
    "NotImplementedError",
    "NameError",
    "TypeError",
    "ValueError",
    "AttributeError",
    "IndexError",
    "KeyError",
    "AssertionError",
    "ZeroDivisionError",
    "RecursionError",
    "UnboundLocalError",
}
LANES = 2 if (os.cpu_count() or 1) > 1 else 1  # checks asked at once: referee and jail alternate


def grade(
    request: GradingRequest,
    *,
    sandbox: Sandbox,
    on_result: OnResult = lambda result: None,
    cancelled: Event | None = None,
    lab: Lab | None = None,
    only: Collection[str] | None = None,
    name_mistakes: bool = True,
) -> GradingReport:
    """Grade one submission.

    Args:
        request: what to grade, with the seed of its hidden inputs.
        sandbox: the wall to grade behind.
        on_result: called with every check's result as soon as it is known.
        cancelled: set from another thread to end the grading.
        lab: the lab, where the caller has it already; else it is looked up by the request's slug.
        only: ask these checks alone, and those that they need; the report has no others.
        name_mistakes: whether wrong answers are held against the files of wrong/, at the end.

    Raises:
        GraderError: our side failed (a wall, a zygote, a broken lab, another version of the lab).
        Cancelled: `cancelled` was set.
    """
    began = time.perf_counter()
    lab = lab or get_lab(request.lab)
    if lab.content_hash != request.lab_hash:
        raise GraderError(f"lab {lab.slug} is here in another version than was submitted to")
    if lab.kind == "classic":
        return fitted(
            grade_classic(
                request,
                sandbox=sandbox,
                on_result=on_result,
                cancelled=cancelled or Event(),
                lab=lab,
            )
        )
    grading = Grading(
        lab,
        request,
        sandbox,
        on_result,
        cancelled or Event(),
        only=only,
        name_mistakes=name_mistakes,
    )
    try:
        grading.run()
    finally:
        grading.close()
    results = tuple(grading.results[check.name] for check in grading.checks)
    score, max_score = total(results)
    report = GradingReport(
        attempt=request.attempt,
        lab=lab.slug,
        lab_hash=lab.content_hash,
        submission_sha256=request.submission_sha256,
        results=results,
        cells=grading.cells(),
        notebook_stdout=clean(grading.session.stdout, 65_000) if grading.session else "",
        score=score,
        max_score=max_score,
        wall=sandbox.wall,
        unsafe=sandbox.unsafe,
        seconds=time.perf_counter() - began,
        stages=dict(grading.session.stages) if grading.session else {},
        manual=waiting_for_a_human(lab, grading.answers),
        flags=grading.flags(),
    )
    return fitted(report)


class Grading:
    """The course of one attempt."""

    def __init__(
        self,
        lab: Lab,
        request: GradingRequest,
        sandbox: Sandbox,
        on_result: OnResult,
        cancelled: Event,
        *,
        only: Collection[str] | None = None,
        name_mistakes: bool = True,
    ) -> None:
        self.name_mistakes = name_mistakes
        self.lab = lab
        self.request = request
        self.sandbox = sandbox
        self.on_result = on_result
        self.cancelled = cancelled
        self.referee: Referee = referee_for(lab)
        self.checks = self.referee.checks if only is None else _with_needs(self.referee, only)
        self.answers: dict[str, str] = {}
        self.results: dict[str, CheckResult] = {}
        self.session: NotebookSession | None = None
        self.rank_sessions: RankSessions | None = None
        self.failed: list[Conversation] = []  # whose answers were wrong
        self.stopping = Event()
        # A process that answers for a group answers one check at a time, and there is one GPU.
        self._lanes = Lanes(1 if lab.fresh else LANES)
        self._process: tuple[str, bool] | None = None  # that of the check that was asked last

    def run(self) -> None:
        """Ask every check in order; every check gets exactly one result."""
        try:
            self.answers = notebook.read_answers(self.lab, self.request.notebook)
            cells = notebook.restore(self.lab, self.answers)
        except NotebookError as error:
            for check in self.checks:
                self.settle(check, Verdict.REJECTED, message=clean(error, 2000))
            return
        self.session = self._new_session(cells)
        if self.lab.fresh and self.checks:
            first = by_process(sorted(self.checks, key=lambda check: check.hidden))[0]
            self._enter_process(self.session, first)
        self.session.ensure_notebook()
        # What a hidden check was asked could be left in the jail's /tmp, for a visible one to print.
        # So the hidden ones come last: nothing whose output a student sees runs after them.
        for hidden in (False, True):
            if hidden:
                self.session.keep_what_was_told()
            checks = [check for check in self.checks if check.hidden == hidden]
            self._ask_all(self.session, by_process(checks) if self.lab.fresh else checks)
        self._name_mistakes()

    def _new_session(self, cells: Sequence[CodeCell]) -> NotebookSession:
        return NotebookSession(
            self.sandbox,
            self.lab.zygote,
            self.lab.limits,
            list(cells),
            lambda: self.cancelled.is_set() or self.stopping.is_set(),
            forbid=tuple(forbid.functions(self.lab.forbid)),
            fresh=self.lab.fresh,
        )

    def _name_mistakes(self) -> None:
        """Tell hints again, and better: those of the mistakes that give the very same answers."""
        if not self.failed or not self.name_mistakes:
            return
        namer = Namer(self.lab, self.referee, self.request.seed, self._new_session)
        try:
            for conversation in self.failed:
                if self.cancelled.is_set():
                    raise Cancelled
                mistake = namer.name(conversation)
                if mistake is not None:
                    told = {"hint": mistake.hint[:1000], "mistake": mistake.file.stem[:100]}
                    result = self.results[conversation.check.name].model_copy(update=told)
                    self.results[result.check] = result
                    self.on_result(result)
        finally:
            namer.close()

    def _ask_all(self, session: NotebookSession, checks: Sequence[Check]) -> None:
        """Ask these checks in as many lanes as there are; back when each has its result."""
        with ThreadPoolExecutor(self._lanes.width, "lane") as pool:
            asked: dict[str, Future[None]] = {}
            for check in checks:
                needed = [asked[name] for name in check.needs if name in asked]
                asked[check.name] = pool.submit(self.ask, session, check, needed)
            try:
                for future in asked.values():
                    future.result()
            except BaseException:
                self.stopping.set()
                pool.shutdown(cancel_futures=True)
                raise

    def ask(self, session: NotebookSession, check: Check, needed: Sequence[Future[None]]) -> None:
        """One check, to its verdict. What it needs was submitted earlier, so waiting cannot lock."""
        wait(needed)
        if self.cancelled.is_set() or self.stopping.is_set():
            raise Cancelled
        unmet = [name for name in check.needs if not self._passed(name)]
        if unmet:
            self.settle(
                check, Verdict.NOT_REACHED, message=f"needs {', '.join(unmet)} to pass first"
            )
            return
        if session.hopeless is not None:
            message = f"the notebook could not be run: it {session.hopeless.message}"
            self.settle(check, session.hopeless.verdict, message=message)
            return
        began = time.perf_counter()
        conversation, verdict, fields = self._verdict(session, check)
        if verdict is Verdict.FAILED and conversation.outputs is not None:
            self.failed.append(conversation)
        if verdict is not Verdict.PASSED:
            fields.setdefault("inputs", describe_inputs(conversation.shown_inputs()))
            fields = self._with_context(verdict, fields)
        self.settle(
            check,
            verdict,
            trials_passed=conversation.passed,
            seconds=time.perf_counter() - began,
            **fields,
        )

    def _verdict(
        self, session: NotebookSession, check: Check
    ) -> tuple[Conversation, Verdict, dict[str, Any]]:
        limits = check.limits_within(self.lab.limits)
        if check.worlds:  # its ranks need the cores, and what one prints is in all jails
            with self._lanes.enter(alone=True):
                talk = RankConversation(
                    self.referee, self._rank_sessions(session), check, self.request.seed
                )
                return talk, *talk.ask(limits)
        conversation = Conversation(self.referee, session, check, self.request.seed)
        if self.lab.fresh:
            return conversation, *self._in_its_process(session, conversation, limits)
        with self._lanes.enter() as crowded:
            verdict, fields = self._hold(session, conversation, limits, crowded=crowded)
        for left in reversed(range(BEGINNINGS)):
            if verdict is not None:
                break
            # Another check may have been at fault: ask again with nothing beside it.
            conversation.passed = 0
            with self._lanes.enter(alone=True):
                verdict, fields = self._hold(
                    session, conversation, limits, crowded=None, last=left == 0
                )
        assert verdict is not None
        return conversation, verdict, fields

    def _in_its_process(
        self, session: NotebookSession, conversation: Conversation, limits: Limits
    ) -> tuple[Verdict, dict[str, Any]]:
        """Ask in the process of the check's group, and where that says little, once more in a new one.

        A process that has answered another check may have been spoilt by it: it may pass a check, for only
        right answers do that, but what it does not pass is asked again where nothing was asked before.
        """
        self._enter_process(session, conversation.check)
        verdict, fields = self._hold(session, conversation, limits, crowded=None)
        used = session.in_place and session.asked != 1
        if verdict is None or (used and verdict is not Verdict.PASSED):
            session.leave_process()
            conversation.passed = 0
            verdict, fields = self._hold(session, conversation, limits, crowded=None, last=True)
        if verdict is not Verdict.PASSED and session.in_place:
            session.leave_process()
        assert verdict is not None
        return verdict, fields

    def _enter_process(self, session: NotebookSession, check: Check) -> None:
        """Leave the process of another group."""
        if self._process != check.process:
            session.leave_process()
            session.gpu = any(each.gpu for each in self.checks if each.process == check.process)
        self._process = check.process

    def _rank_sessions(self, session: NotebookSession) -> RankSessions:
        if self.rank_sessions is None:
            self.rank_sessions = RankSessions(session, lambda: self._new_session(session.cells))
        return self.rank_sessions

    @staticmethod
    def _hold(
        session: NotebookSession,
        conversation: Conversation,
        limits: Limits,
        *,
        crowded: Callable[[], bool] | None,
        last: bool = False,
    ) -> tuple[Verdict | None, dict[str, Any]]:
        """Ask all trials; no verdict when what went wrong may be the fault of another check.

        `crowded` says whether another check was asked meanwhile; None: this one had the jail to itself.
        Even then it may never have begun, because of what an earlier one did to the notebook's process;
        with `last`, that is a verdict as well.
        """
        fields: dict[str, Any] = {}
        exchange: Exchange | None = None
        try:
            with session.question(limits) as exchange:
                try:
                    conversation.hold(exchange)
                finally:
                    exchange.drain()
                    fields["stdout"] = clean(exchange.output.text()[-SHOWN_OUTPUT:], SHOWN_OUTPUT)
        except NotebookEnded as ended:
            message = f"The notebook {ended.ending.message}."
            return ended.ending.verdict, fields | {"message": message}
        except Answered as answered:
            if crowded is not None and (
                answered.ended
                or (crowded() and (_may_be_anothers(answered) or _restless(exchange)))
            ):
                # Whatever was at fault may have taken the notebook along, too.
                session.after_trouble(WireClosed(), exchange)
                return None, {}
            return answered.verdict, fields | answered.fields
        except (WireTimeout, WireClosed, MemoryExceeded, OutputFlood, WireError) as error:
            shared = crowded is not None and (
                isinstance(error, WireClosed)
                or (isinstance(error, MemoryExceeded | CpuExceeded) and crowded())
                or (crowded() and _restless(exchange))
            )
            status = session.after_trouble(error, exchange)
            if shared or (session.not_begun(error, exchange) and not last):
                return None, {}
            ending = ending_of(error, status, limits)
            return ending.verdict, fields | {"message": f"The check {ending.message}."}
        return Verdict.PASSED, fields

    def _passed(self, name: str) -> bool:
        return name in self.results and self.results[name].verdict is Verdict.PASSED

    def _with_context(self, verdict: Verdict, fields: dict[str, Any]) -> dict[str, Any]:
        """A name that is missing is explained by the first cell that failed, where one did."""
        info: ExceptionInfo | None = fields.get("exception")
        if verdict is Verdict.ERROR and info is not None and info.type == "NameError":
            broken = next((cell for cell in self.cells() if cell.exception is not None), None)
            if broken is not None and broken.exception is not None:
                told = broken.exception
                said = told.text if told.type in set(Verdict) else f"{told.type}: {told.text}"
                fields["message"] = clean(
                    f"{info.text}, because cell {broken.cell} failed: {said}", 2000
                )
                fields["exception"] = info.model_copy(update={"trace": broken.exception.trace})
        return fields

    def settle(self, check: Check, verdict: Verdict, **fields: Any) -> None:
        """Note the result of a check and tell it."""
        failed = verdict in (Verdict.FAILED, Verdict.ERROR, Verdict.TIMED_OUT)
        result = CheckResult(
            check=check.name,
            exercise=check.exercise,
            title=check.title,
            verdict=verdict,
            points=points_for(verdict, check.points),
            max_points=check.points,
            hidden=check.hidden,
            hint=check.hint if failed else "",
            trials=check.trials,
            **fields,
        )
        self.results[check.name] = result
        self.on_result(result)

    def flags(self) -> tuple[Flag, ...]:
        """What a human should look at; it never changes a score."""
        if self.session is None:
            return ()
        results = list(self.results.values())
        return forbid.flags(
            self.lab.forbid, self.session.cells, self.answers, self.cells(), results
        )

    def cells(self) -> tuple[CellResult, ...]:
        return tuple(self.session.results.values()) if self.session else ()

    def close(self) -> None:
        if self.rank_sessions is not None:
            self.rank_sessions.close()
        if self.session is not None:
            self.session.close()


def _restless(exchange: Exchange | None) -> bool:
    return exchange is not None and exchange.restless()


def _may_be_anothers(answered: Answered) -> bool:
    """Whether a check beside this one can have brought this exception about: by killing what it started."""
    info: ExceptionInfo | None = answered.fields.get("exception")
    return (
        answered.verdict is Verdict.ERROR and info is not None and info.type not in OWN_EXCEPTIONS
    )


def by_process(checks: Sequence[Check]) -> list[Check]:
    """The checks of one process after the other, if that asks none before those that it needs."""
    first: dict[tuple[str, bool], int] = {}
    for index, check in enumerate(checks):
        first.setdefault(check.process, index)
    ordered = sorted(checks, key=lambda check: first[check.process])
    place = {check.name: index for index, check in enumerate(ordered)}
    fits = all(place.get(name, -1) < place[check.name] for check in checks for name in check.needs)
    return ordered if fits else list(checks)


def _with_needs(referee: Referee, only: Collection[str]) -> tuple[Check, ...]:
    """These checks and all that have to pass before them, in order."""
    wanted = set(only)
    for check in reversed(referee.checks):
        wanted |= set(check.needs) if check.name in wanted else set()
    return tuple(check for check in referee.checks if check.name in wanted)
