"""A classic nbgrader assignment as a lab: one source notebook whose own asserts give the points.

The folder holds one .ipynb with nbgrader's metadata; a `lab.toml` may say more, and everything that it does
not say is derived. Exercises are what lies between the headings: a run of answers with the tests that follow
it. Reading a notebook never runs it.
"""

import ast
import hashlib
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from grader.document import Found, read_document
from grader.errors import LabError, NotebookError
from grader.metadata import CellMetadata, read_metadata
from grader.percent import GRADE_ID, SourceCell
from grader.protocol import Limits
from labs.catalog import Cell, Exercise, Lab, ManualItem
from labs.declarations import CheckInfo

# What nbgrader itself allows a cell is 30 s; classic notebooks were written with that in mind.
LIMITS = Limits(
    notebook_wall_seconds=60,
    check_wall_seconds=30,
    cpu_seconds=300,
    check_cpu_seconds=300,
    memory_mib=1024,
    output_kib=256,
)
_KEYS: dict[str, type | tuple[type, ...]] = {
    "kind": str,
    "title": str,
    "summary": str,
    "topic": str,
    "week": int,
    "zygote": str,
    "limits": dict,
}
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_MAGIC = re.compile(r"^(\s*)[%!?].*$", re.MULTILINE)
_HIDDEN = "BEGIN HIDDEN TESTS"


def is_classic(folder: Path) -> bool:
    """Whether a folder holds a source notebook and no lab.py."""
    return not (folder / "lab.py").exists() and any(folder.glob("*.ipynb"))


def scoring_files(folder: Path) -> list[Path]:
    """What can change a score of this lab, sorted by name."""
    return sorted([*folder.glob("*.ipynb"), *folder.glob("lab.toml")])


def source_cells(folder: Path) -> tuple[SourceCell, ...]:
    """The cells of the source notebook, solutions and hidden tests included; `line` is the cell's number.

    Raises:
        LabError: with every problem of the notebook.
    """
    problems: list[str] = []
    cells = _read_cells(_notebook(folder), problems)
    if problems:
        raise LabError("\n".join(problems))
    return tuple(source for source, _ in cells)


def read_classic(folder: Path) -> Lab:
    """The lab in a folder.

    Raises:
        LabError: with every problem that was found, each with its cell and a remedy.
    """
    problems: list[str] = []
    path = _notebook(folder)
    described = _described(folder, problems)
    cells = _read_cells(path, problems)
    if GRADE_ID.fullmatch(folder.name) is None or folder.name != folder.name.lower():
        problems.append(
            f"{folder}: the folder's name must be lower case letters, digits, '-' and '_'; rename it."
        )
    outline = _Outline(path)
    for source, metadata in cells:
        outline.add(source, metadata, problems)
    if not problems and not (outline.checks or outline.manual):
        problems.append(
            f"{path}: no cell is graded; mark test cells with nbgrader's 'Create Assignment' toolbar."
        )
    if problems:
        raise LabError("\n".join(problems))
    exercises = outline.exercises()
    title = next((t for source, _ in cells if (t := heading(source))), folder.name)
    return Lab(
        slug=folder.name,
        title=described.get("title", title)[:200],
        summary=described.get("summary", "An nbgrader assignment."),
        topic=described.get("topic", "Assignments"),
        week=described.get("week", 0),
        points=sum((exercise.points for exercise in exercises), Decimal(0)),
        zygote=described.get("zygote") or zygote_for(cells),
        limits=described.get("limits") or LIMITS,
        forbid=(),
        papers=(),
        exercises=exercises,
        checks=tuple(outline.checks),
        cells=tuple(outline.cells),
        content_hash=_hash(folder),
        folder=folder,
        kind="classic",
        manual=tuple(outline.manual),
    )


def _notebook(folder: Path) -> Path:
    found = sorted(folder.glob("*.ipynb"))
    if len(found) != 1:
        raise LabError(
            f"{folder}: has {len(found)} notebooks; a classic lab has one: give each a folder of its own."
        )
    return found[0]


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in scoring_files(folder):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _described(folder: Path, problems: list[str]) -> dict[str, Any]:
    path = folder / "lab.toml"
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{path}: {error}; correct the TOML.")
        return {}
    for key, value in found.items():
        if key not in _KEYS:
            problems.append(f"{path}: {key}: unknown; known are {', '.join(_KEYS)}.")
        elif not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            problems.append(f"{path}: {key}: has another type than it must have.")
    if found.get("kind", "classic") != "classic":
        problems.append(f"{path}: kind: must be 'classic' where there is no lab.py.")
    if found.get("zygote", "numpy") not in ("numpy", "torch", "torch-gpu"):
        problems.append(f"{path}: zygote: choose one of numpy, torch, torch-gpu.")
    if isinstance(found.get("limits"), dict):
        try:
            found["limits"] = Limits.model_validate(LIMITS.model_dump() | found["limits"])
        except ValidationError as error:
            problems.append(f"{path}: limits: {error.errors()[0]['msg']}.")
    return found


def _read_cells(path: Path, problems: list[str]) -> list[tuple[SourceCell, CellMetadata | None]]:
    try:
        document = read_document(path.read_bytes())
    except NotebookError as error:
        problems += [f"{path}: {line}." for line in str(error).split("\n")]
        return []
    language = document.metadata.get("kernelspec")
    named = language.get("language", "python") if isinstance(language, dict) else "python"
    if named != "python":
        problems.append(f"{path}: its language is {str(named)[:20]!a}; only Python is graded.")
    seen: dict[str, int] = {}
    cells = []
    for cell in document.cells:
        told: list[str] = []
        metadata = read_metadata(cell.metadata, cell.kind, told)
        if cell.source is None:
            told.append("its source is not text; save the notebook again")
        if metadata is not None and metadata.grade_id in seen:
            told.append(
                f"grade_id {metadata.grade_id!r} is used by cell number {seen[metadata.grade_id]} "
                "already; give every cell an id of its own"
            )
        if metadata is not None:
            seen.setdefault(metadata.grade_id, cell.number)
        problems += [f"{path}: cell number {cell.number}: {problem}." for problem in told]
        if cell.kind in ("code", "markdown") and cell.source is not None:
            cells.append((_source_cell(cell, metadata), metadata))
    return cells


def _source_cell(cell: Found, metadata: CellMetadata | None) -> SourceCell:
    kind: Literal["markdown", "code"] = "markdown" if cell.kind == "markdown" else "code"
    nbgrader = None
    if metadata is not None:
        nbgrader = {
            "grade": metadata.grade,
            "grade_id": metadata.grade_id,
            "locked": metadata.locked,
            "points": float(metadata.points),
            "schema_version": 3,
            "solution": metadata.solution,
            "task": metadata.task,
        }
    return SourceCell(kind, cell.source or "", nbgrader, cell.number)


@dataclass(slots=True)
class _Part:
    """An exercise as it grows: answers, then tests."""

    title: str
    cells: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    points: Decimal = Decimal(0)
    tested: bool = False


class _Outline:
    """Cells, checks and exercises of a notebook, cell by cell."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cells: list[Cell] = []
        self.checks: list[CheckInfo] = []
        self.manual: list[ManualItem] = []
        self._parts: list[_Part] = []
        self._title = ""
        self._prompt = ""
        self._numbers = {"prose": 0, "given": 0}

    def add(self, source: SourceCell, metadata: CellMetadata | None, problems: list[str]) -> None:
        try:
            student = source.student_source()
        except LabError as error:
            what = str(error).removeprefix(f"line {source.line}: ").rstrip(".")
            problems.append(f"{self.path}: cell number {source.line}: {what}.")
            return
        if source.kind == "markdown" and not (metadata and metadata.is_manual):
            self._title = heading(source) or self._title
            self._prompt = student
        if metadata is None or not (metadata.grade or metadata.solution or metadata.task):
            self._add_given(source, student, metadata)
        elif metadata.is_test:
            self._add_test(source, student, metadata)
        else:
            self._add_answer(source, student, metadata)

    def _add_given(self, source: SourceCell, student: str, metadata: CellMetadata | None) -> None:
        word = "prose" if source.kind == "markdown" else "given"
        self._numbers[word] += 1
        name = metadata.grade_id if metadata else f"{word}-{self._numbers[word]}"
        role: Literal["prose", "setup"] = "prose" if word == "prose" else "setup"
        self.cells.append(Cell(name, source.kind, role, student, None, ()))

    def _part(self, *, tested: bool) -> _Part:
        """The exercise that the next cell belongs to: an answer after tests begins a new one."""
        if not self._parts or (self._parts[-1].tested and not tested):
            self._parts.append(_Part(self._title or f"Part {len(self._parts) + 1}"))
        self._parts[-1].tested |= tested
        return self._parts[-1]

    def _add_test(self, source: SourceCell, student: str, metadata: CellMetadata) -> None:
        part = self._part(tested=True)
        part.checks.append(metadata.grade_id)
        part.points += metadata.points
        exercise = f"E{len(self._parts)}"
        self.checks.append(
            CheckInfo(
                name=metadata.grade_id,
                exercise=exercise,
                title=test_title(student) or f"Tests of {part.title}"[:300],
                points=metadata.points,
                hidden=_HIDDEN in source.source and not has_code(student),
                hint="",
                needs=(),
                trials=1,
            )
        )
        asked = (metadata.grade_id,)
        self.cells.append(Cell(metadata.grade_id, source.kind, "check", student, exercise, asked))

    def _add_answer(self, source: SourceCell, student: str, metadata: CellMetadata) -> None:
        part = self._part(tested=False)
        part.cells.append(metadata.grade_id)
        exercise = f"E{len(self._parts)}"
        if metadata.is_manual:
            part.points += metadata.points
            self.manual.append(
                ManualItem(
                    cell=metadata.grade_id,
                    exercise=exercise,
                    title=part.title[:300],
                    points=metadata.points,
                    kind="task" if metadata.task else "answer",
                    prompt=student if metadata.task else self._prompt,
                )
            )
        self.cells.append(Cell(metadata.grade_id, source.kind, "exercise", student, exercise, ()))

    def exercises(self) -> tuple[Exercise, ...]:
        return tuple(
            Exercise(
                id=f"E{number}",
                title=part.title[:200],
                points=part.points,
                minutes=0,
                cells=tuple(part.cells),
                checks=tuple(part.checks),
            )
            for number, part in enumerate(self._parts, start=1)
        )


def heading(source: SourceCell) -> str:
    """The first heading of a markdown cell, if it has one."""
    found = _HEADING.search(source.source) if source.kind == "markdown" else None
    return found[1].strip() if found else ""


def parsed(source: str) -> ast.Module | None:
    """The Python of a cell, its magics left out; None when it is no Python."""
    try:
        return ast.parse(_MAGIC.sub(r"\1pass", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def has_code(source: str) -> bool:
    """Whether a cell does anything: it has more than comments and texts."""
    tree = parsed(source)
    return tree is None or any(
        not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in tree.body
    )


def test_title(student: str) -> str:
    """The text or comment with which the visible part of a test cell begins."""
    tree = parsed(student)
    text = ast.get_docstring(tree) if tree else None
    if not text:
        first = student.strip().split("\n")[0]
        text = first.lstrip("# ") if first.startswith("#") and "BEGIN" not in first else ""
    return text.strip().split("\n")[0][:300] if text else ""


def imports(
    cells: Sequence[tuple[SourceCell, CellMetadata | None]],
) -> Iterator[tuple[SourceCell, str, int]]:
    """Every package that the code imports, with its cell and line."""
    for source, _ in cells:
        tree = parsed(source.source) if source.kind == "code" else None
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield source, alias.name.partition(".")[0], node.lineno
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield source, node.module.partition(".")[0], node.lineno


def zygote_for(cells: list[tuple[SourceCell, CellMetadata | None]]) -> Literal["numpy", "torch"]:
    """The smallest environment in which everything is installed that the notebook imports."""
    return "torch" if any(name == "torch" for _, name, _ in imports(cells)) else "numpy"
