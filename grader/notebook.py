"""Answers out of a notebook, a canonical notebook out of answers, and the cells that are really run.

An .ipynb that comes back from a student is hostile input. Only one thing is taken from it: the source
of each exercise cell, found by nbgrader's `grade_id`. Everything else (locked cells, check cells, cells
that were added, outputs, metadata) comes from the lab again, so nothing that a student changed outside
an exercise cell can change what runs. All problems are reported together, each with cell and remedy.

Pure standard library: nbformat, jupytext and nbgrader take seconds to import and are only the oracles
in the tests.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from grader.document import FRESH_COPY, Document, Found, read_document, refuse
from grader.metadata import read_metadata
from grader.percent import SourceCell, read_percent

if TYPE_CHECKING:
    from labs.catalog import Cell, Lab

MAX_ANSWER_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class CodeCell:
    """One code cell as it is executed in the jail or in the referee."""

    id: str
    source: str


def restore(lab: "Lab", answers: Mapping[str, str]) -> list[CodeCell]:
    """The code cells to execute: the lab's own, with `answers` in the exercise cells.

    An exercise without an answer keeps its starter code. Check cells are left out: the referee asks
    the checks itself, after the last cell.

    Raises:
        NotebookError: an answer is for no exercise cell of the lab, or cannot be executed as text.
    """
    refuse(_answer_problems(lab, answers))
    return [
        CodeCell(cell.id, answers.get(cell.id, cell.source))
        for cell in lab.cells
        if cell.kind == "code" and cell.role in ("setup", "exercise")
    ]


def source_cells(lab: "Lab") -> tuple[SourceCell, ...]:
    """The cells of the lab as its author wrote them, with solutions."""
    if lab.kind == "classic":
        from labs.classic import source_cells as cells_of_notebook

        return cells_of_notebook(lab.folder)
    path = lab.folder / "lab.py"
    return read_percent(path.read_text(encoding="utf-8"), file=str(path))


def reference_answers(lab: "Lab") -> dict[str, str]:
    """The solutions, in the form in which a student hands in theirs. Trusted side only."""
    return {
        cell.grade_id: cell.reference_source()
        for cell in source_cells(lab)
        if (cell.is_solution or cell.is_manual) and cell.grade_id is not None
    }


def read_answers(lab: "Lab", notebook: bytes | str) -> dict[str, str]:
    """The source of every exercise cell of the lab in an .ipynb (formats 3 and 4).

    Raises:
        NotebookError: every problem at once; each line names the cell and the remedy.
    """
    document = read_document(notebook)
    refuse(_made_for(lab, document))
    wanted = {cell.id: cell for cell in lab.cells if cell.role == "exercise"}
    problems: list[str] = []
    answers: dict[str, str] = {}
    for cell in document.cells:
        grade_id = _grade_id(cell, problems)
        if grade_id not in wanted:
            continue
        source = _source(grade_id, cell, wanted[grade_id].kind, problems)
        if grade_id in answers:
            problems.append(
                f"cell '{grade_id}': is in the notebook twice (again as cell number {cell.number}); "
                "delete the copy that you do not want graded"
            )
        answers.setdefault(grade_id, "" if source is None else source)
    problems += [
        f"cell '{grade_id}': is missing; {FRESH_COPY}"
        for grade_id in wanted
        if grade_id not in answers
    ]
    refuse(problems or _answer_problems(lab, answers))
    return {grade_id: answers[grade_id] for grade_id in wanted}


def student_notebook(lab: "Lab", answers: Mapping[str, str] | None = None) -> bytes:
    """The canonical .ipynb (nbformat 4.5): the same answers always give the same bytes.

    Raises:
        NotebookError: an answer is for no exercise cell of the lab, or is no text.
    """
    given = answers or {}
    refuse(_answer_problems(lab, given))
    document = {
        "cells": [_written(lab, cell, given.get(cell.id, cell.source)) for cell in lab.cells],
        "metadata": {
            "gradus": {"lab": lab.slug},
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"file_extension": ".py", "name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)
    return (text + "\n").encode("utf-8")


def _written(lab: "Lab", cell: "Cell", source: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    unnamed = lab.kind == "classic" and cell.id.startswith("given-")  # nbgrader knows no such id
    if cell.role != "prose" and not unnamed:
        metadata["nbgrader"] = {
            "grade": cell.role == "check",
            "grade_id": cell.id,
            "locked": cell.role != "exercise",
            "schema_version": 3,
            "solution": cell.role == "exercise",
        }
        metadata["deletable"] = False
    item = next((item for item in lab.manual if item.cell == cell.id), None)
    if item is not None:
        metadata["nbgrader"] |= (
            {"task": True, "solution": False} if item.kind == "task" else {"grade": True}
        )
        metadata["nbgrader"]["points"] = _number(item.points)
    if cell.role == "check":
        points = sum((lab.check(name).points for name in cell.checks), Decimal(0))
        metadata["nbgrader"]["points"] = _number(points)
    if cell.role in ("check", "setup"):
        metadata["editable"] = False
    written = {
        "cell_type": cell.kind,
        "id": cell.id,
        "metadata": metadata,
        "source": source.splitlines(keepends=True),
    }
    return written | ({"execution_count": None, "outputs": []} if cell.kind == "code" else {})


def _number(points: Decimal) -> int | float:
    return int(points) if points == int(points) else float(points)


def _made_for(lab: "Lab", document: Document) -> list[str]:
    made_for = document.metadata.get("gradus", {})
    slug = made_for.get("lab") if isinstance(made_for, dict) else None
    if isinstance(slug, str) and slug != lab.slug:
        return [f"this is a notebook of the lab {slug[:64]!a}; upload that of '{lab.slug}'"]
    return []


def _grade_id(cell: Found, problems: list[str]) -> str | None:
    """nbgrader's id of a cell, from metadata of schema version 0 to 3; None for any other cell."""
    told: list[str] = []
    metadata = read_metadata(cell.metadata, cell.kind, told, strict=False)
    problems += [
        f"cell number {cell.number}: {problem}" + ("" if ";" in problem else f"; {FRESH_COPY}")
        for problem in told
    ]
    return metadata.grade_id if metadata else None


def _source(grade_id: str, cell: Found, kind: str, problems: list[str]) -> str | None:
    if cell.kind != kind:
        problems.append(f"cell '{grade_id}': must be a {kind} cell; change its type back")
        return None
    if cell.source is None:
        problems.append(f"cell '{grade_id}': its source is not text; {FRESH_COPY}")
    return cell.source


def _answer_problems(lab: "Lab", answers: Mapping[str, str]) -> list[str]:
    exercise_cells = {cell.id for cell in lab.cells if cell.role == "exercise"}
    problems = [
        f"cell {str(cell)[:64]!a}: is no exercise cell of the lab '{lab.slug}'; {FRESH_COPY}"
        for cell in answers
        if cell not in exercise_cells
    ]
    for cell in exercise_cells & answers.keys():
        problems += [f"cell '{cell}': {fault}" for fault in text_problems(answers[cell])]
    return sorted(problems)


def text_problems(source: object) -> Iterable[str]:
    """What keeps a text from being an answer: its type, its size, or characters that Python refuses."""
    if not isinstance(source, str):
        yield "its source is not text; write the answer again"
        return
    if len(source) > MAX_ANSWER_CHARACTERS:
        yield f"is longer than {MAX_ANSWER_CHARACTERS:,} characters; shorten it"
    if "\0" in source:
        yield f"has a NUL character on line {_line(source, source.index(chr(0)))}; delete it"
    if broken := re.search("[\ud800-\udfff]", source):
        yield (
            f"has half a character (a lone surrogate) on line {_line(source, broken.start())}; delete it"
        )


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1
