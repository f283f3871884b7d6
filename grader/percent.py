"""Reads a lab's `lab.py`: jupytext's percent format with nbgrader's cell metadata, version 3.

Only a strict part of the format is accepted, the part in which a line means the same to this reader,
to jupytext and to a person: headers are `# %%` or `# %% [markdown]`, optionally followed by
`nbgrader={…}` as JSON; every line of a markdown cell starts with `#`; no titles, no magics, no raw
cells. Anything else is a problem with a line number and a remedy, never a guess. jupytext itself takes
most of a second to import, so it is only the oracle in the tests.
"""

import ast
import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from grader.errors import LabError

CODE_STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
TEXT_STUB = "YOUR ANSWER HERE"
GRADE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

_HEADER = re.compile(r"# %%(?P<markdown> \[markdown\])?(?: nbgrader=(?P<nbgrader>\{.*\}))?")
_FRAGMENT_HEADER = re.compile(r"# %% (?P<grade_id>[A-Za-z0-9_-]{1,64})")
_LOOKS_LIKE_HEADER = re.compile(r"\s*#\s*%%")
_MAGIC = re.compile(r"\s*(#\s*)*[%!?]")
_FENCE = re.compile(r"\s*(```|~~~)")
_METADATA_TYPES: dict[str, type | tuple[type, ...]] = {
    "schema_version": int,
    "grade": bool,
    "locked": bool,
    "solution": bool,
    "task": bool,
    "grade_id": str,
    "points": (int, float),
}


@dataclass(frozen=True, slots=True)
class SourceCell:
    """One cell of `lab.py` as its author wrote it, solutions and hidden tests included."""

    kind: Literal["markdown", "code"]
    source: str
    nbgrader: dict[str, Any] | None
    line: int  # of its header, counted from 1

    @property
    def grade_id(self) -> str | None:
        return self.nbgrader.get("grade_id") if self.nbgrader else None

    @property
    def is_solution(self) -> bool:
        return bool(self.nbgrader and self.nbgrader["solution"])

    @property
    def is_grade(self) -> bool:
        return bool(self.nbgrader and self.nbgrader["grade"])

    @property
    def is_manual(self) -> bool:
        """An answer or a task that a human grades."""
        return (self.is_solution and self.is_grade) or bool(
            self.nbgrader and self.nbgrader.get("task")
        )

    @property
    def points(self) -> Decimal | None:
        """What nbgrader's own gradebook would call the cell's maximum."""
        points = self.nbgrader.get("points") if self.nbgrader else None
        return None if points is None else Decimal(str(points))

    def student_source(self) -> str:
        """What a student receives: solutions and hidden tests replaced exactly as nbgrader does.

        Raises:
            LabError: a region is not closed, is nested, or lies in a cell of another kind.
        """
        source, hidden = _replace_regions(self, "HIDDEN TESTS", None)
        if hidden and not self.is_grade:
            raise LabError(
                f"line {self.line}: hidden tests outside a graded cell; set grade: true."
            )
        source, marked = _replace_regions(self, "MARK SCHEME", None, source)
        if marked and not (self.nbgrader and self.nbgrader.get("task")):
            raise LabError(f"line {self.line}: a mark scheme outside a task cell; set task: true.")
        stub = CODE_STUB if self.kind == "code" else TEXT_STUB
        source, replaced = _replace_regions(self, "SOLUTION", stub, source)
        if replaced and not self.is_solution:
            raise LabError(f"line {self.line}: a solution in a cell without solution: true.")
        return stub if self.is_solution and not replaced else source

    def reference_source(self) -> str:
        """The author's own source, without the lines that only mark its regions."""
        lines = self.source.split("\n")
        return "\n".join(
            line
            for line in lines
            if not re.search("(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)", line)
        )


def parsed(source: str) -> ast.Module:
    """The syntax tree of any text whatever.

    Raises:
        SyntaxError: it has none; also where Python's own parser gives up in other words.
    """
    try:
        return ast.parse(source)
    except (ValueError, RecursionError, MemoryError):
        raise SyntaxError("NUL characters, or nested too deeply") from None


def read_percent(text: str, *, file: str = "lab.py") -> tuple[SourceCell, ...]:
    """Every cell of a percent-format source, in order.

    Raises:
        LabError: with every problem at once, each with its line and a remedy.
    """
    lines, first = _without_header_block(text.splitlines())
    problems: list[str] = []
    blocks: list[tuple[int, list[str]]] = []
    for number, line in enumerate(lines, start=first):
        if _LOOKS_LIKE_HEADER.match(line):
            blocks.append((number, [line]))
        elif blocks:
            blocks[-1][1].append(line)
        elif line.strip():
            problems.append(f"line {number}: text before the first cell; start it with '# %%'")
    cells = [_cell(number, block, problems) for number, block in blocks]
    seen: dict[str, int] = {}
    for cell in cells:
        if cell is not None and cell.grade_id is not None:
            if cell.grade_id in seen:
                problems.append(
                    f"line {cell.line}: grade_id {cell.grade_id!r} is used on line "
                    f"{seen[cell.grade_id]} already; give every cell an id of its own"
                )
            seen.setdefault(cell.grade_id, cell.line)
    if problems:
        raise LabError("\n".join(f"{file}: {problem}." for problem in problems))
    return tuple(cell for cell in cells if cell is not None)


def read_fragment(text: str, *, file: str) -> dict[str, str]:
    """The replacement cells of a `wrong/` or `cheats/` file: grade_id → source.

    Raises:
        LabError: a header that is not `# %% grade_id`, a cell twice, or code before the first.
    """
    cells: dict[str, list[str]] = {}
    current: list[str] | None = None
    preamble: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not _LOOKS_LIKE_HEADER.match(line):
            (preamble if current is None else current).append(line)
            continue
        header = _FRAGMENT_HEADER.fullmatch(line.rstrip())
        if header is None:
            raise LabError(f"{file}: line {number}: write '# %% grade_id', not {line!r}.")
        if header["grade_id"] in cells:
            raise LabError(f"{file}: line {number}: cell {header['grade_id']!r} comes twice.")
        current = cells.setdefault(header["grade_id"], [])
    if not cells:
        raise LabError(f"{file}: no replacement cell; head one with '# %% grade_id'.")
    try:
        before = parsed("\n".join(preamble)).body
    except SyntaxError as error:
        raise LabError(f"{file}: before the first cell: {error.msg}; it must be Python.") from None
    if any(not isinstance(node, ast.Expr) for node in before):
        raise LabError(f"{file}: only a docstring and comments may stand before the first cell.")
    return {grade_id: "\n".join(body).strip("\n") for grade_id, body in cells.items()}


def _without_header_block(lines: list[str]) -> tuple[list[str], int]:
    """Drops the YAML block in which jupytext keeps its own settings."""
    if lines and lines[0] == "# ---" and "# ---" in lines[1:]:
        end = lines.index("# ---", 1) + 1
        return lines[end:], end + 1
    return lines, 1


def _cell(number: int, block: list[str], problems: list[str]) -> SourceCell | None:
    header = _HEADER.fullmatch(block[0].rstrip())
    if header is None:
        problems.append(
            f"line {number}: not a cell header that is understood: {block[0].strip()[:60]!r}; write "
            "'# %%' or '# %% [markdown]', then nothing or nbgrader={…} on the same line"
        )
        return None
    kind: Literal["markdown", "code"] = "markdown" if header["markdown"] else "code"
    nbgrader = _metadata(number, header["nbgrader"], kind, problems)
    body = _trimmed(block)[1:]
    if kind == "markdown":
        return SourceCell(kind, _markdown(number, body, problems), nbgrader, number)
    for offset, line in enumerate(body, start=1):
        if _MAGIC.match(line):
            problems.append(
                f"line {number + offset}: looks like a notebook magic, also behind '#'; labs have none"
            )
    source = "\n".join(body)
    try:
        parsed(source)
    except SyntaxError as error:
        problems.append(
            f"line {number + (error.lineno or 0)}: {error.msg}; the cell must be Python"
        )
    return SourceCell(kind, source, nbgrader, number)


def _trimmed(block: list[str]) -> list[str]:
    """Drops the blank lines that only separate cells, as many as jupytext drops."""
    blank = [not line.strip() for line in block]
    if len(block) >= 3 and not blank[-3] and blank[-2] and blank[-1]:
        return block[:-2]
    return block[:-1] if block[-1] == "" else block


def _markdown(number: int, body: list[str], problems: list[str]) -> str:
    lines = []
    for offset, line in enumerate(body, start=1):
        if line and not line.startswith("#"):
            problems.append(
                f"line {number + offset}: a line of a markdown cell must start with '#'"
            )
        lines.append(line.removeprefix("# ") if line.startswith("# ") else line.removeprefix("#"))
    if sum(1 for line in lines if _FENCE.match(line)) % 2:
        problems.append(f"line {number}: a fenced block of this cell is never closed")
    return "\n".join(lines)


def _metadata(
    number: int, text: str | None, kind: str, problems: list[str]
) -> dict[str, Any] | None:
    """nbgrader's metadata, held against its schema version 3 and against nbgrader's own rules."""
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        problems.append(
            f"line {number}: nbgrader={{…}} is not JSON ({error}); mind quotes and commas"
        )
        return None
    wrong = [
        f"{key} is unknown" if key not in _METADATA_TYPES else f"{key} must not be {found[key]!r}"
        for key in sorted(found)
        if key not in _METADATA_TYPES
        or not isinstance(found[key], _METADATA_TYPES[key])
        or (isinstance(found[key], bool) and _METADATA_TYPES[key] is not bool)
    ]
    wrong += [
        f"{key} is missing"
        for key in ("schema_version", "grade", "locked", "solution", "grade_id")
        if key not in found
    ]
    if not wrong:
        wrong = _broken_rules(found, kind)
    problems.extend(f"line {number}: nbgrader metadata: {fault}" for fault in wrong)
    return None if wrong else dict(found)


def _broken_rules(found: dict[str, Any], kind: str) -> list[str]:
    grade, solution, task = found["grade"], found["solution"], found.get("task", False)
    rules = {
        "schema_version must be 3; run 'nbgrader update'": found["schema_version"] == 3,
        "grade_id must be 1–64 letters, digits, '-' or '_'": GRADE_ID.fullmatch(found["grade_id"]),
        "a graded cell needs points that are not negative": not grade
        or 0 <= found.get("points", -1) < math.inf,
        "only a graded cell has points, or a task": grade or task or "points" not in found,
        "a task must be a markdown cell": not task or kind == "markdown",
        "an answer in markdown is graded by hand: grade and solution go together": task
        or kind == "code"
        or grade == solution,
    }
    return [rule for rule, holds in rules.items() if not holds]


def _replace_regions(
    cell: SourceCell, name: str, stub: str | None, source: str | None = None
) -> tuple[str, bool]:
    """Replaces `BEGIN name … END name` by an indented stub, or by nothing."""
    kept: list[str] = []
    inside = replaced = False
    for line in (cell.source if source is None else source).split("\n"):
        if f"BEGIN {name}" in line:
            if inside:
                raise LabError(
                    f"line {cell.line}: BEGIN {name} inside another one; close the first."
                )
            inside = replaced = True
            indent = line[: len(line) - len(line.lstrip())]
            kept += [indent + part for part in stub.split("\n")] if stub is not None else []
        elif f"END {name}" in line:
            inside = False
        elif not inside:
            kept.append(line)
    if inside:
        raise LabError(f"line {cell.line}: BEGIN {name} without END {name} in the same cell.")
    return "\n".join(kept), replaced
