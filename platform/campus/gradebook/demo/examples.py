"""Answers that students might have written: a lab's own solutions and the mistakes in its wrong/.

Reads the files as text. What it cannot find is left out: a lab without wrong/ still gives right and
untouched answers.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from labs.catalog import Lab

CELL_HEAD = re.compile(r"^# %%(.*)$")
NBGRADER = re.compile(r"nbgrader=(\{.*?\})")
MARKER = re.compile(r"^\s*### (BEGIN|END) SOLUTION\s*$")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One file of wrong/: what is wrong with it, which checks catch it, the cells that it replaces."""

    name: str
    story: str
    hint: str
    caught_by: frozenset[str]
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Examples:
    """All that students of one lab can be made to answer."""

    solutions: Mapping[str, str]
    mistakes: tuple[Mistake, ...]

    def mistakes_in(self, cells: frozenset[str]) -> list[Mistake]:
        """The mistakes that can be made in these cells alone."""
        return [mistake for mistake in self.mistakes if cells.issuperset(mistake.cells)]


def examples_of(lab: Lab) -> Examples:
    """The solutions and mistakes of a lab, as far as its folder has them."""
    wanted = {cell.id for cell in lab.cells if cell.role == "exercise"}
    solutions = {
        name: _without_markers(source)
        for head, source in _cells((lab.folder / "lab.py").read_text(encoding="utf-8"))
        if (name := _grade_id(head)) in wanted
    }
    checks = frozenset(check.name for check in lab.checks)
    mistakes = [_mistake(path, checks, wanted) for path in sorted(lab.folder.glob("wrong/*.py"))]
    return Examples(
        solutions, tuple(mistake for mistake in mistakes if mistake.cells and mistake.caught_by)
    )


def _mistake(path: Path, checks: frozenset[str], wanted: set[str]) -> Mistake:
    text = path.read_text(encoding="utf-8")
    caught = ",".join(re.findall(r"^# caught by:(.*)$", text, re.MULTILINE))
    hints = re.findall(r"^# hint:(.*)$", text, re.MULTILINE)
    story = (ast.get_docstring(ast.parse(text)) or path.stem).splitlines()[0]
    return Mistake(
        name=path.stem,
        story=story,
        hint=" ".join(hint.strip() for hint in hints),
        caught_by=checks & {name.strip() for name in caught.split(",")},
        cells={head.strip(): source for head, source in _cells(text) if head.strip() in wanted},
    )


def _cells(text: str) -> Iterator[tuple[str, str]]:
    """(what stands after "# %%", the cell's source) of a file in percent format."""
    head: str | None = None
    lines: list[str] = []
    for line in [*text.splitlines(), "# %%"]:
        found = CELL_HEAD.match(line)
        if found is None:
            lines.append(line)
            continue
        if head is not None:
            yield head, "\n".join(lines).strip("\n")
        head, lines = found[1], []


def _grade_id(head: str) -> str:
    found = NBGRADER.search(head)
    return str(json.loads(found[1]).get("grade_id", "")) if found else ""


def _without_markers(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not MARKER.match(line))
