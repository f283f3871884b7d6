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

from grader.errors import NotebookError
from grader.percent import SourceCell, read_percent
from grader.protocol import MAX_NOTEBOOK_BYTES

if TYPE_CHECKING:
    from labs.catalog import Cell, Lab

MAX_ANSWER_CHARACTERS = 200_000
MAX_BRACKETS = (
    400_000  # bounds what parsing 5 MiB can allocate; outputs of honest notebooks have fewer
)
MAX_CELLS = 2_000
_FRESH_COPY = "download a fresh copy of the lab and paste your answers into it"


@dataclass(frozen=True, slots=True)
class CodeCell:
    """One code cell as it is executed in the jail or in the referee."""

    id: str
    source: str


class _DuplicateKeyError(ValueError):
    """A JSON object that has the same key twice: two readers could see different answers."""


def restore(lab: "Lab", answers: Mapping[str, str]) -> list[CodeCell]:
    """The code cells to execute: the lab's own, with `answers` in the exercise cells.

    An exercise without an answer keeps its starter code. Check cells are left out: the referee asks
    the checks itself, after the last cell.

    Raises:
        NotebookError: an answer is for no exercise cell of the lab, or cannot be executed as text.
    """
    _refuse(_answer_problems(lab, answers))
    return [
        CodeCell(cell.id, answers.get(cell.id, cell.source))
        for cell in lab.cells
        if cell.kind == "code" and cell.role in ("setup", "exercise")
    ]


def source_cells(lab: "Lab") -> tuple[SourceCell, ...]:
    """The cells of the lab as its author wrote them, with solutions."""
    path = lab.folder / "lab.py"
    return read_percent(path.read_text(encoding="utf-8"), file=str(path))


def reference_answers(lab: "Lab") -> dict[str, str]:
    """The solutions, in the form in which a student hands in theirs. Trusted side only."""
    return {
        cell.grade_id: cell.reference_source()
        for cell in source_cells(lab)
        if cell.is_solution and cell.grade_id is not None
    }


def read_answers(lab: "Lab", notebook: bytes | str) -> dict[str, str]:
    """The source of every exercise cell of the lab in an .ipynb (nbformat 4.0 to 4.5).

    Raises:
        NotebookError: every problem at once; each line names the cell and the remedy.
    """
    document = _parsed(notebook)
    _refuse(_document_problems(lab, document))
    wanted = {cell.id: cell for cell in lab.cells if cell.role == "exercise"}
    problems: list[str] = []
    answers: dict[str, str] = {}
    for number, cell in enumerate(document["cells"], start=1):
        if not isinstance(cell, dict):
            problems.append(f"cell number {number}: is not an object; {_FRESH_COPY}")
            continue
        grade_id = _grade_id(number, cell, problems)
        if grade_id not in wanted:
            continue
        source = _source(grade_id, cell, wanted[grade_id].kind, problems)
        if grade_id in answers:
            problems.append(
                f"cell '{grade_id}': is in the notebook twice (again as cell number {number}); "
                "delete the copy that you do not want graded"
            )
        answers.setdefault(grade_id, "" if source is None else source)
    problems += [
        f"cell '{grade_id}': is missing; {_FRESH_COPY}"
        for grade_id in wanted
        if grade_id not in answers
    ]
    _refuse(problems or _answer_problems(lab, answers))
    return {grade_id: answers[grade_id] for grade_id in wanted}


def student_notebook(lab: "Lab", answers: Mapping[str, str] | None = None) -> bytes:
    """The canonical .ipynb (nbformat 4.5): the same answers always give the same bytes.

    Raises:
        NotebookError: an answer is for no exercise cell of the lab, or is no text.
    """
    given = answers or {}
    _refuse(_answer_problems(lab, given))
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
    if cell.role != "prose":
        metadata["nbgrader"] = {
            "grade": cell.role == "check",
            "grade_id": cell.id,
            "locked": cell.role != "exercise",
            "schema_version": 3,
            "solution": cell.role == "exercise",
        }
        metadata["deletable"] = False
    if cell.role == "check":
        points = sum((lab.check(name).points for name in cell.checks), Decimal(0))
        metadata["nbgrader"]["points"] = int(points) if points == int(points) else float(points)
    if cell.role in ("check", "setup"):
        metadata["editable"] = False
    written = {
        "cell_type": cell.kind,
        "id": cell.id,
        "metadata": metadata,
        "source": source.splitlines(keepends=True),
    }
    return written | ({"execution_count": None, "outputs": []} if cell.kind == "code" else {})


def _parsed(notebook: bytes | str) -> Any:
    """JSON within limits; nothing large is allocated before its size is known to be allowed."""
    limit = f"{MAX_NOTEBOOK_BYTES // (1024 * 1024)} MiB"
    too_large = f"the notebook is larger than {limit}; clear its outputs and save it again"
    if len(notebook) > MAX_NOTEBOOK_BYTES:
        raise NotebookError(too_large)
    if isinstance(notebook, bytes):
        try:
            text = notebook.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise NotebookError(
                f"the file is not UTF-8 (byte {error.start}); save it from Jupyter as .ipynb"
            ) from None
    else:
        text = notebook.removeprefix("\ufeff")
        if len(text.encode("utf-8", "surrogatepass")) > MAX_NOTEBOOK_BYTES:
            raise NotebookError(too_large)
    if text.count("[") + text.count("{") > MAX_BRACKETS:
        raise NotebookError("the notebook has too many parts; clear its outputs and save it again")
    try:
        return json.loads(text, object_pairs_hook=_object_without_duplicates)
    except RecursionError:
        raise NotebookError(f"the notebook is nested too deeply; {_FRESH_COPY}") from None
    except _DuplicateKeyError as error:
        raise NotebookError(f"the notebook has the key {error} twice; {_FRESH_COPY}") from None
    except ValueError as error:
        raise NotebookError(
            f"the file is not a notebook ({error}); upload the .ipynb file"
        ) from None


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _DuplicateKeyError(ascii(next(key for key in keys if keys.count(key) > 1))[:60])
    return found


def _document_problems(lab: "Lab", document: Any) -> list[str]:
    if not isinstance(document, dict):
        return ["the file is not a notebook; upload the .ipynb file"]
    problems = _format_problems(document.get("nbformat"), document.get("nbformat_minor"))
    cells = document.get("cells")
    if not isinstance(cells, list):
        problems.append(f"the notebook has no list of cells; {_FRESH_COPY}")
    elif len(cells) > MAX_CELLS:
        problems.append(f"the notebook has over {MAX_CELLS} cells; delete those that you added")
    metadata = document.get("metadata", {})
    made_for = metadata.get("gradus", {}) if isinstance(metadata, dict) else {}
    slug = made_for.get("lab") if isinstance(made_for, dict) else None
    if isinstance(slug, str) and slug != lab.slug:
        problems.append(f"this is a notebook of the lab {slug[:64]!a}; upload that of '{lab.slug}'")
    return problems


def _format_problems(major: object, minor: object) -> list[str]:
    if type(major) is not int or type(minor) is not int:
        return ["the file does not say which notebook format it has; upload the .ipynb file"]
    if major != 4 or not 0 <= minor <= 5:
        return [
            f"the notebook has format {str(major)[:9]}.{str(minor)[:9]}; save it as format 4 "
            "(4.0 to 4.5), which every current Jupyter does"
        ]
    return []


def _grade_id(number: int, cell: dict[str, Any], problems: list[str]) -> str | None:
    """nbgrader's id of a cell, from metadata of schema version 1 to 3; None for any other cell."""
    metadata = cell.get("metadata", {})
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if nbgrader is None:
        return None
    if not isinstance(nbgrader, dict) or not isinstance(nbgrader.get("grade_id", ""), str):
        problems.append(f"cell number {number}: its nbgrader metadata is broken; {_FRESH_COPY}")
        return None
    version = nbgrader.get("schema_version")
    if type(version) is not int or not 1 <= version <= 3:
        problems.append(
            f"cell number {number}: nbgrader metadata of schema version {str(version)[:20]!a}; "
            "versions 1 to 3 are read: run 'nbgrader update' on the notebook"
        )
        return None
    return nbgrader.get("grade_id")


def _source(grade_id: str, cell: dict[str, Any], kind: str, problems: list[str]) -> str | None:
    if cell.get("cell_type") != kind:
        problems.append(f"cell '{grade_id}': must be a {kind} cell; change its type back")
        return None
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        problems.append(f"cell '{grade_id}': its source is not text; {_FRESH_COPY}")
        return None
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _answer_problems(lab: "Lab", answers: Mapping[str, str]) -> list[str]:
    exercise_cells = {cell.id for cell in lab.cells if cell.role == "exercise"}
    problems = [
        f"cell {str(cell)[:64]!a}: is no exercise cell of the lab '{lab.slug}'; {_FRESH_COPY}"
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


def _refuse(problems: Iterable[str]) -> None:
    found = list(problems)
    if found:
        shown = found[:50] + ([f"… and {len(found) - 50} more"] if len(found) > 50 else [])
        raise NotebookError("\n".join(shown))
