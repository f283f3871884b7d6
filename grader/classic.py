"""Grades a classic nbgrader notebook: its own asserts give the points, in the jail and with its sharp edges off.

Each test cell is judged in a fork of the notebook's state as it was at that place: the answers above it have
run, and the visible tests above it, whose imports and helpers later cells use. First the visible part runs;
what goes wrong there is shown. Only when it passed, and in a later fork, the hidden tests run, too: of them a
student learns that they fail, and no text of theirs.

Where nbgrader reads a score out of a cell's outputs, a cell here counts as passed only when its last statement
was executed and the executor in the jail said so: silence is no pass, and a warning on stderr is no zero. It
stays what it is: the student's code and its judge share one interpreter, so reports say `graded_by="notebook"`.
"""

import ast
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Event
from typing import Any

from grader import notebook
from grader.errors import Cancelled, NotebookError
from grader.inside.wire import WireClosed, WireError, WireTimeout
from grader.notebook import CodeCell
from grader.percent import SourceCell
from grader.protocol import (
    CellResult,
    CheckResult,
    ExceptionInfo,
    Flag,
    GradingReport,
    GradingRequest,
    TraceLine,
    Verdict,
)
from grader.sandbox.base import Sandbox
from grader.sandbox.jail import Exchange, MemoryExceeded, OutputFlood
from grader.scoring import total, waiting_for_a_human
from grader.session import BEGINNINGS, NotebookEnded, NotebookSession, clean, ending_of
from labs.catalog import Cell, Lab
from labs.classic import has_code, parsed

SHOWN_OUTPUT = 4_000
HIDDEN_FAILS = "A hidden test of this cell fails."
_DISPLAY_MAGIC = re.compile(
    r"^(\s*)%(matplotlib|config|load_ext|reload_ext|autoreload)\b", re.MULTILINE
)
_REGION = re.compile("(BEGIN|END) HIDDEN TESTS")


@dataclass(slots=True)
class Group:
    """Test cells with no answer between them, and every code cell that stands above."""

    above: tuple[CodeCell, ...]
    tests: list[Cell] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run of a test cell ended."""

    verdict: Verdict
    message: str = ""
    exception: ExceptionInfo | None = None
    stdout: str = ""
    value: float | None = None  # the number that the cell ends with


def grade_classic(
    request: GradingRequest,
    *,
    sandbox: Sandbox,
    on_result: Callable[[CheckResult], None],
    cancelled: Event,
    lab: Lab,
) -> GradingReport:
    """Grade one submission of a classic lab; `grader.runner.grade` comes here by itself.

    Raises:
        GraderError: our side failed. Cancelled: `cancelled` was set.
    """
    began = time.perf_counter()
    grading = ClassicGrading(lab, request, sandbox, on_result, cancelled)
    grading.run()
    results = tuple(grading.results[check.name] for check in lab.checks)
    score, max_score = total(results)
    return GradingReport(
        attempt=request.attempt,
        lab=lab.slug,
        lab_hash=lab.content_hash,
        submission_sha256=request.submission_sha256,
        results=results,
        cells=tuple(grading.cells.values()),
        notebook_stdout=clean(grading.stdout, 65_000),
        score=score,
        max_score=max_score,
        wall=sandbox.wall,
        unsafe=sandbox.unsafe,
        seconds=time.perf_counter() - began,
        stages=grading.stages,
        flags=tuple(grading.flags),
        graded_by="notebook",
        manual=waiting_for_a_human(lab, grading.answers),
    )


class ClassicGrading:
    """The course of one attempt."""

    def __init__(
        self,
        lab: Lab,
        request: GradingRequest,
        sandbox: Sandbox,
        on_result: Callable[[CheckResult], None],
        cancelled: Event,
    ) -> None:
        self.lab, self.request, self.sandbox = lab, request, sandbox
        self.on_result, self.cancelled = on_result, cancelled
        self.answers: dict[str, str] = {}
        self.results: dict[str, CheckResult] = {}
        self.cells: dict[str, CellResult] = {}
        self.flags: list[Flag] = []
        self.stdout = ""
        self.stages: dict[str, float] = {}
        sources = notebook.source_cells(lab)
        self.full = {
            source.grade_id: whole_tests(source)
            for source in sources
            if source.grade_id and source.is_grade
        }
        self.authored = sorted(authored_names(sources))

    def run(self) -> None:
        """Judge every test cell; each gets exactly one result."""
        try:
            self.answers = notebook.read_answers(self.lab, self.request.notebook)
        except NotebookError as error:
            outcome = Outcome(Verdict.REJECTED, clean(error, 2000))
            for check in self.lab.checks:
                self._settle(check.name, outcome)
            return
        for group in groups(self.lab, self.answers):
            self._judge_group(group)

    def _judge_group(self, group: Group) -> None:
        session = NotebookSession(
            self.sandbox, self.lab.zygote, self.lab.limits, list(group.above), self.cancelled.is_set
        )
        # All groups together may run the notebook as often as one submission of a sealed lab may.
        session.stages["notebook"] = self.stages.get("notebook", 0.0)
        try:
            session.ensure_notebook()
            outcomes = {
                cell.id: self._ask(session, cell, group.tests[:place], hidden=False)
                for place, cell in enumerate(group.tests)
            }
            # What a hidden test was asked could be left behind for a visible one to print, so the hidden
            # ones come last; the next group has a jail of its own.
            for place, cell in enumerate(group.tests):
                outcome = outcomes[cell.id]
                if outcome.verdict is Verdict.PASSED and self.full[cell.id] != cell.source:
                    outcome = self._ask(session, cell, group.tests[:place], hidden=True)
                self._settle(cell.id, outcome)
        finally:
            self._keep(session)
            session.close()

    def _keep(self, session: NotebookSession) -> None:
        self.stages = dict(session.stages)
        own = {cell.id for cell in self.lab.cells if cell.role in ("exercise", "setup")}
        for cell, result in session.results.items():
            if cell in own:
                self.cells[cell] = result
        self.stdout = session.stdout  # of the longest run so far

    def _ask(
        self, session: NotebookSession, cell: Cell, earlier: list[Cell], *, hidden: bool
    ) -> Outcome:
        """One run of one test cell in a fork of its own."""
        if self.cancelled.is_set():
            raise Cancelled
        source = self.full[cell.id] if hidden else cell.source
        if not has_code(source):
            return Outcome(Verdict.PASSED)
        if session.hopeless is not None:
            ending = session.hopeless
            return Outcome(ending.verdict, f"the notebook could not be run: it {ending.message}")
        before = [[test.id, self.full[test.id] if hidden else test.source] for test in earlier]
        question = {
            "name": "hidden test" if hidden else f"cell:{cell.id}",
            "tests": without_display_magics(source),
            "before": before,
            "authored": self.authored,
        }
        outcome = _hold(session, question, cell, BEGINNINGS)
        return _without_words(outcome) if hidden else self._explained(outcome)

    def _explained(self, outcome: Outcome) -> Outcome:
        """A name that is missing is explained by the first cell that failed, where one did."""
        if outcome.exception is None or outcome.exception.type != "NameError":
            return outcome
        broken = next((cell for cell in self.cells.values() if cell.exception is not None), None)
        if broken is None or broken.exception is None:
            return outcome
        said = f"{broken.exception.type}: {broken.exception.text}"
        message = f"{outcome.exception.text}, because cell {broken.cell} failed: {said}"
        return Outcome(
            outcome.verdict, clean(message, 2000), outcome.exception, outcome.stdout, outcome.value
        )

    def _settle(self, name: str, outcome: Outcome) -> None:
        check = self.lab.check(name)
        points, message, verdict = Decimal(0), outcome.message, outcome.verdict
        if verdict is Verdict.PASSED:
            points, message = self._points(name, check.points, outcome.value)
            verdict = Verdict.PASSED if points == check.points else Verdict.FAILED
        result = CheckResult(
            check=name,
            exercise=check.exercise,
            title=check.title,
            verdict=verdict,
            points=points,
            max_points=check.points,
            hidden=check.hidden,
            message=clean(message, 2000),
            exception=outcome.exception,
            stdout=outcome.stdout,
            trials_passed=int(verdict is Verdict.PASSED),
        )
        self.results[name] = result
        self.on_result(result)

    def _points(self, name: str, most: Decimal, value: float | None) -> tuple[Decimal, str]:
        """All points of a cell that ran to its end, unless it ends with a number: then that many."""
        if value is None:
            return most, ""
        if math.isnan(value) or value < 0 or value > most:
            text = (
                f"The cell ends with {value:g}, which is no number of points between 0 and {most}."
            )
            self.flags.append(Flag(kind="points", text=text, cell=name))
            return Decimal(0), f"{text} Its author should look at it."
        points = min(most, Decimal(str(round(value, 3))))
        return points, "" if points == most else f"{value:g} of {most:g} points."


def groups(lab: Lab, answers: Mapping[str, str]) -> list[Group]:
    """The test cells of a lab, each with all that runs before it."""
    found: list[Group] = []
    above: list[CodeCell] = []
    fresh = True
    for cell in lab.cells:
        if cell.kind != "code":
            continue
        if cell.role == "check":
            if fresh:
                found.append(Group(tuple(above)))
            found[-1].tests.append(cell)
            fresh = False
            continue
        if not fresh:
            above += [_run_as_is(test.id, test.source) for test in found[-1].tests]
        fresh = True
        above.append(_run_as_is(cell.id, answers.get(cell.id, cell.source)))
    return found


def _run_as_is(cell_id: str, source: str) -> CodeCell:
    return CodeCell(cell_id, without_display_magics(source))


def without_display_magics(source: str) -> str:
    """`%matplotlib inline` and its like mean nothing where nobody looks, and must not fail a cell."""
    return _DISPLAY_MAGIC.sub(r"\1pass  # %\2", source)


def whole_tests(source: SourceCell) -> str:
    """A test cell with its hidden tests, without the lines that only mark them."""
    if not _REGION.search(source.source):
        return source.source
    return "\n".join(line for line in source.source.split("\n") if not _REGION.search(line))


def authored_names(sources: tuple[SourceCell, ...]) -> set[str]:
    """Every name that the author's own cells define: these may mean what the notebook says."""
    names: set[str] = set()
    for source in sources:
        tree = parsed(source.source) if source.kind == "code" else None
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.alias):
                names.add(node.asname or node.name.partition(".")[0])
    return names


def _hold(session: NotebookSession, question: dict[str, Any], cell: Cell, tries: int) -> Outcome:
    """Ask; whatever ends without an answer is the student's doing, unless it never began."""
    exchange: Exchange | None = None
    limits, stdout = session.limits, ""
    try:
        with session.question(limits) as exchange:
            try:
                exchange.say(question)
                frame = exchange.hear()
            finally:
                exchange.drain()
                stdout = clean(exchange.output.text()[-SHOWN_OUTPUT:], SHOWN_OUTPUT)
            return _read(session, cell, frame, stdout)
    except NotebookEnded as ended:
        return Outcome(ended.ending.verdict, f"The notebook {ended.ending.message}.", None, stdout)
    except (WireTimeout, WireClosed, MemoryExceeded, OutputFlood, WireError) as error:
        status = session.after_trouble(error, exchange)
        if tries > 1 and session.not_begun(error, exchange):
            return _hold(session, question, cell, tries - 1)
        ending = ending_of(error, status, limits)
        return Outcome(ending.verdict, f"The test {ending.message}.", None, stdout)


def _read(session: NotebookSession, cell: Cell, frame: Any, stdout: str) -> Outcome:
    if not isinstance(frame, dict):
        raise WireError("a test answered something else than how it ended")
    if frame.get("done") is True and frame.keys() == {"done", "value"}:
        value = frame["value"]
        if value is not None and type(value) is not float:
            raise WireError("a test ended with something else than a number")
        return Outcome(Verdict.PASSED, "", None, stdout, value)
    if "exception" in frame:
        info = _exception(session, cell, frame["exception"])
        text = clean(f"{info.type}: {info.text}".rstrip(": "), 2000)
        if info.type == "NotImplementedError":
            text = "This part is not implemented yet."
        verdict = Verdict.FAILED if info.type == "AssertionError" else Verdict.ERROR
        return Outcome(verdict, text, info, stdout)
    status = frame.get("ended")
    code = status if type(status) is int and -64 <= status <= 255 else None
    limits = session.limits
    ending = ending_of(WireClosed(), code, limits)
    return Outcome(ending.verdict, f"The test {ending.message}.", None, stdout)


def _exception(session: NotebookSession, cell: Cell, told: Any) -> ExceptionInfo:
    """As the session reads it, and with the line of the test, which the student may see."""
    info = session.exception(told)
    lines = cell.source.splitlines()
    for entry in told["trace"][:50]:
        match entry:
            case [str(name), int(line), str()] if name == cell.id and 0 < line <= len(lines):
                here = TraceLine(cell=cell.id, line=line, source=clean(lines[line - 1], 400))
                return info.model_copy(update={"trace": (here, *info.trace)[:50]})
    return info


def _without_words(outcome: Outcome) -> Outcome:
    """What a student may know of a hidden test: that it failed, and the kind of a built-in exception."""
    if outcome.verdict in (Verdict.PASSED, Verdict.FAILED):
        message = HIDDEN_FAILS if outcome.verdict is Verdict.FAILED else ""
        return Outcome(outcome.verdict, message, value=outcome.value)
    return Outcome(outcome.verdict, f"{HIDDEN_FAILS} ({outcome.verdict.value.replace('_', ' ')})")
