"""What a person should know about a notebook file before it is handed in; nothing is lost in silence.

Locked cells and check cells always come from the lab, whatever the file holds, and cells that were added
are not run. Both are said beforehand, with the cell, so that nobody finds out from a grade.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from grader.document import FRESH_COPY, Document, Found, read_document
from grader.errors import NotebookError
from grader.metadata import read_metadata

if TYPE_CHECKING:
    from labs.catalog import Cell, Lab

Effect = Literal["refused", "restored", "left_out"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing about a notebook. `refused`: it cannot be handed in like this."""

    effect: Effect
    cell: str  # its id, or its number where it has none
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        place = f"cell {self.cell}: " if self.cell else ""
        return f"{place}{self.text}" + (f"; {self.remedy}" if self.remedy else "")


def inspect_submission(lab: "Lab", notebook: bytes | str) -> list[Problem]:
    """Everything that is missing, doubled, changed or added in a file, worst first; never raises."""
    try:
        document = read_document(notebook)
    except NotebookError as error:
        return [Problem("refused", "", line) for line in str(error).split("\n")]
    found = list(_problems(lab, document))
    order = ("refused", "restored", "left_out")
    return sorted(found, key=lambda problem: order.index(problem.effect))


def _problems(lab: "Lab", document: Document) -> Iterator[Problem]:
    known = {
        cell.id: cell
        for cell in lab.cells
        if cell.role != "prose" and not (lab.kind == "classic" and cell.id.startswith("given-"))
    }
    given = {cell.source.strip() for cell in lab.cells}
    seen: dict[str, int] = {}
    for cell in document.cells:
        told: list[str] = []
        metadata = read_metadata(cell.metadata, cell.kind, told, strict=False)
        yield from (Problem("refused", f"number {cell.number}", text) for text in told)
        wanted = known.get(metadata.grade_id) if metadata else None
        if wanted is None:
            if not told and (cell.source or "").strip() not in given | {""}:
                yield _added(cell)
            continue
        if wanted.id in seen:
            yield _doubled(wanted, seen[wanted.id], cell.number)
        seen.setdefault(wanted.id, cell.number)
        yield from _changed(wanted, cell)
    for wanted in known.values():
        if wanted.id not in seen:
            yield _missing(wanted)


def _added(cell: Found) -> Problem:
    first = (cell.source or "").strip().split("\n")[0][:60]
    if cell.kind == "code":
        text = f"is not part of the lab and is not run ({first!a})"
        return Problem(
            "left_out", f"number {cell.number}", text, "move what you need of it into an answer"
        )
    return Problem("left_out", f"number {cell.number}", f"is not part of the lab ({first!a})")


def _doubled(wanted: "Cell", first: int, second: int) -> Problem:
    text = f"is there twice, as cells number {first} and {second}"
    if wanted.role == "exercise":
        return Problem("refused", wanted.id, text, "delete the copy that you do not want graded")
    return Problem("restored", wanted.id, text + "; the lab's own is used once")


def _missing(wanted: "Cell") -> Problem:
    if wanted.role == "exercise":
        return Problem("refused", wanted.id, "is missing", FRESH_COPY)
    return Problem("restored", wanted.id, "is missing and comes from the lab")


def _changed(wanted: "Cell", cell: Found) -> Iterator[Problem]:
    if wanted.role == "exercise":
        if cell.kind != wanted.kind:
            text = f"must be a {wanted.kind} cell"
            yield Problem("refused", wanted.id, text, "change its type back")
        elif cell.source is None:
            yield Problem("refused", wanted.id, "its source is not text", FRESH_COPY)
    elif cell.kind != wanted.kind or (cell.source or "").strip() != wanted.source.strip():
        yield Problem(
            "restored",
            wanted.id,
            "is locked but was changed; it is graded as the lab has it",
            "move what you need of it into an answer",
        )
