"""One submission as staff read it: the notebook's cells with the verdicts under the cell that asked.

Whatever comes from a notebook or from the process that ran it is hostile text. It leaves this module as
plain strings, which the templates escape. The one exception is prose, which is the lab's own: it is made
by campus.ui.markdown, which sanitises all the same, since the notebook is what was handed in.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.utils.safestring import SafeString
from pydantic import TypeAdapter, ValidationError

from campus.submissions.models import Attempt, CheckResult
from campus.ui.markdown import render_markdown
from grader.api import CellResult, Flag
from grader.api import CheckResult as CheckMessage
from labs.catalog import Lab

Role = Literal["prose", "exercise", "check", "setup", "other"]
LONG_LISTING = 12  # lines of a locked cell above which it is folded
PROSE_HEADINGS = 3  # the page's own sections are <h2>
CELL_RESULTS = TypeAdapter(tuple[CellResult, ...])
FLAG = TypeAdapter(Flag)
MAX_FLAGS = 100  # as many as the protocol lets through


@dataclass(frozen=True, slots=True)
class CheckView:
    """A stored check result and, if it can still be read, the grader's whole message."""

    row: CheckResult
    message: CheckMessage | None
    raw: str  # the message as text when it cannot be read any more

    @property
    def anchor(self) -> str:
        return f"check-{self.row.check_name}"

    @property
    def says_more(self) -> bool:
        """Whether there is anything to read beyond the verdict itself."""
        message = self.message
        return self.row.verdict != "passed" or bool(
            message
            and (
                message.message
                or message.hint
                or message.stdout
                or message.inputs
                or message.timeline
            )
        )

    @property
    def title(self) -> str:
        return (self.message.title if self.message else "") or self.row.check_name


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell of what was handed in, and how it ended when it ran."""

    number: int
    id: str
    kind: Literal["markdown", "code"]
    role: Role
    source: str
    prose: SafeString | None = None  # of a Markdown cell, sanitised
    untouched: bool = False  # an exercise that still is the lab's starter
    result: CellResult | None = None
    checks: tuple[CheckView, ...] = ()
    flags: tuple[Flag, ...] = ()

    @property
    def anchor(self) -> str:
        return f"cell-{self.id}"

    @property
    def lines(self) -> int:
        return self.source.count("\n") + 1

    @property
    def is_long(self) -> bool:
        return self.lines > LONG_LISTING

    @property
    def numbers(self) -> str:
        """Line numbers for the margin, one a line."""
        return "\n".join(str(number + 1) for number in range(self.lines))


@dataclass(frozen=True, slots=True)
class Reading:
    """The notebook in order; what has no place in it comes in `elsewhere`."""

    cells: tuple[CellView, ...]
    elsewhere: tuple[CheckView, ...]
    checks: tuple[CheckView, ...]  # all of them, in the lab's order
    stdout: str
    seconds: float | None
    stages: tuple[tuple[str, float], ...]
    outcomes: tuple[tuple[str, int], ...]  # (verdict, how many checks), the most frequent first
    flags: tuple[
        tuple[Flag, bool], ...
    ]  # what a human should look at; whether its cell is shown here
    readable: bool  # False: the stored text is no notebook, so show it as it is


def read_submission(
    notebook: str,
    attempt: Attempt | None,
    lab: Lab | None,
    figure_address: Callable[[str], str],
) -> Reading:
    """Everything about one attempt at one notebook. `lab` is the lab as it is now, if it still is.

    `figure_address` turns the name of a figure in the prose into its address. Costs one query, for the
    check results.
    """
    checks = tuple(check_views(attempt)) if attempt is not None else ()
    report = attempt.report if attempt is not None and isinstance(attempt.report, dict) else {}
    cells = [
        replace(
            cell,
            prose=render_markdown(
                cell.source, headings_from=PROSE_HEADINGS, image_address=figure_address
            ),
        )
        if cell.kind == "markdown" and cell.role != "exercise"
        else cell
        for cell in cells_of(notebook)
    ]
    if lab is not None:
        starters = {cell.id: cell.source for cell in lab.cells if cell.role == "exercise"}
        cells = [
            replace(cell, untouched=starters.get(cell.id, "").strip() == cell.source.strip())
            if cell.id in starters and cell.role == "exercise"
            else cell
            for cell in cells
        ]
    results = {result.cell: result for result in cell_results(report)}
    cells = [replace(cell, result=results.get(cell.id)) for cell in cells]
    flags = flags_of(report.get("flags"))
    cells = [
        replace(cell, flags=tuple(flag for flag in flags if flag.cell == cell.id)) for cell in cells
    ]
    shown = {cell.id for cell in cells}
    placed = place_checks(cells, checks, lab)
    stages = report.get("stages")
    seconds = report.get("seconds")
    return Reading(
        cells=tuple(replace(cell, checks=tuple(placed.get(cell.id, ()))) for cell in cells),
        elsewhere=tuple(placed.get("", ())),
        checks=checks,
        stdout=str(report.get("notebook_stdout") or ""),
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
        stages=tuple(
            (str(name), float(value))
            for name, value in (stages.items() if isinstance(stages, dict) else ())
            if isinstance(value, int | float)
        ),
        outcomes=tuple(Counter(check.row.verdict for check in checks).most_common()),
        flags=tuple((flag, flag.cell in shown) for flag in flags),
        readable=bool(cells),
    )


def check_views(attempt: Attempt) -> Iterable[CheckView]:
    """The results of an attempt in their order, each read back from the protocol's message."""
    for row in attempt.results.order_by("position"):
        try:
            yield CheckView(row, CheckMessage.model_validate(row.detail), "")
        except ValidationError:
            yield CheckView(row, None, json.dumps(row.detail, indent=2, ensure_ascii=False))


def cell_results(report: dict[str, Any]) -> tuple[CellResult, ...]:
    """How the cells ended; nothing if the report has them in a form that is not today's."""
    try:
        return CELL_RESULTS.validate_python(report.get("cells") or ())
    except ValidationError:
        return ()


def flags_of(stored: object) -> tuple[Flag, ...]:
    """The flags of a stored report, without what is none; nothing in a report that has no such field."""
    found = []
    for one in stored[:MAX_FLAGS] if isinstance(stored, list) else ():
        try:
            found.append(FLAG.validate_python(one))
        except ValidationError:
            continue
    return tuple(found)


def cells_of(notebook: str) -> list[CellView]:
    """The cells of a stored notebook; an empty list if the text is none."""
    try:
        document = json.loads(notebook)
        cells = document["cells"]
        return [_cell(number, cell) for number, cell in enumerate(cells, start=1)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []


def _cell(number: int, cell: dict[str, Any]) -> CellView:
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(str(line) for line in source)
    kind: Literal["markdown", "code"] = "code" if cell["cell_type"] == "code" else "markdown"
    nbgrader = (cell.get("metadata") or {}).get("nbgrader") or {}
    role: Role
    if nbgrader.get("solution"):
        role = "exercise"
    elif nbgrader.get("grade"):
        role = "check"
    elif kind == "markdown":
        role = "prose"
    else:
        role = "setup" if nbgrader.get("locked") else "other"
    name = nbgrader.get("grade_id") or cell.get("id") or f"number-{number}"
    return CellView(number=number, id=str(name), kind=kind, role=role, source=text)


def place_checks(
    cells: Sequence[CellView], checks: Iterable[CheckView], lab: Lab | None
) -> dict[str, list[CheckView]]:
    """Cell id → the checks shown under it: where the notebook asks for the check, else the last cell of
    its exercise (hidden checks are asked nowhere), else under the key ""."""
    asked: dict[str, str] = {}
    last_of_exercise: dict[str, str] = {}
    known = {cell.id: cell for cell in lab.cells} if lab else {}
    for cell in cells:
        if cell.id not in known:
            continue
        asked |= dict.fromkeys(known[cell.id].checks, cell.id)
        exercise = known[cell.id].exercise
        if exercise is None and known[cell.id].checks and lab is not None:
            exercise = lab.check(known[cell.id].checks[0]).exercise
        if exercise is not None:
            last_of_exercise[exercise] = cell.id
    placed: dict[str, list[CheckView]] = {}
    for check in checks:
        place = asked.get(check.row.check_name) or last_of_exercise.get(check.row.exercise, "")
        placed.setdefault(place, []).append(check)
    return placed
