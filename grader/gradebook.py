"""nbgrader's gradebook.db, read and written with sqlite3 alone.

Read: gradebooks since nbgrader 0.6 (the columns that came later may be missing). Written: the schema of 0.9,
with the version that its migrations look for, so that nbgrader opens the file as its own. Points are Decimal
here and floats there; times are UTC without a zone there.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from grader.errors import GraderError

if TYPE_CHECKING:
    import sqlite3  # loaded when a book is opened: importing grader.api loads no database

SCHEMA_VERSION = "167914646830"  # the newest migration of nbgrader 0.9
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # from which SQLAlchemy counts an interval
MAX_BYTES = 200 * 2**20
MAX_ROWS = 2_000_000
MAX_VALUE_BYTES = 4 * 2**20
READING_SECONDS = 60.0
_TABLES = """
CREATE TABLE course (id VARCHAR(128) NOT NULL PRIMARY KEY UNIQUE);
CREATE TABLE assignment (id VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(128) NOT NULL UNIQUE,
  duedate DATETIME, course_id VARCHAR(128) NOT NULL REFERENCES course (id));
CREATE TABLE notebook (id VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(128) NOT NULL,
  assignment_id VARCHAR(32) REFERENCES assignment (id), kernelspec VARCHAR(1024),
  UNIQUE (name, assignment_id));
CREATE TABLE base_cell (id VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(128) NOT NULL,
  notebook_id VARCHAR(32) NOT NULL REFERENCES notebook (id), type VARCHAR(50),
  UNIQUE (name, notebook_id));
CREATE TABLE grade_cells (id VARCHAR(32) NOT NULL PRIMARY KEY REFERENCES base_cell (id),
  max_score FLOAT NOT NULL, cell_type VARCHAR(8) NOT NULL);
CREATE TABLE solution_cells (id VARCHAR(32) NOT NULL PRIMARY KEY REFERENCES base_cell (id));
CREATE TABLE task_cells (id VARCHAR(32) NOT NULL PRIMARY KEY REFERENCES base_cell (id),
  max_score FLOAT NOT NULL, cell_type VARCHAR(8) NOT NULL);
CREATE TABLE source_cell (id VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(128) NOT NULL,
  cell_type VARCHAR(8) NOT NULL, locked BOOLEAN NOT NULL, source TEXT, checksum VARCHAR(128),
  notebook_id VARCHAR(32) REFERENCES notebook (id), UNIQUE (name, notebook_id));
CREATE TABLE student (id VARCHAR(128) NOT NULL PRIMARY KEY, first_name VARCHAR(128),
  last_name VARCHAR(128), email VARCHAR(128), lms_user_id VARCHAR(128));
CREATE TABLE submitted_assignment (id VARCHAR(32) NOT NULL PRIMARY KEY,
  assignment_id VARCHAR(32) REFERENCES assignment (id), student_id VARCHAR(128) REFERENCES student (id),
  timestamp DATETIME, extension DATETIME, UNIQUE (assignment_id, student_id));
CREATE TABLE submitted_notebook (id VARCHAR(32) NOT NULL PRIMARY KEY,
  assignment_id VARCHAR(32) REFERENCES submitted_assignment (id),
  notebook_id VARCHAR(32) REFERENCES notebook (id), flagged BOOLEAN, late_submission_penalty FLOAT,
  UNIQUE (notebook_id, assignment_id));
CREATE TABLE grade (id VARCHAR(32) NOT NULL PRIMARY KEY,
  notebook_id VARCHAR(32) REFERENCES submitted_notebook (id),
  cell_id VARCHAR(32) REFERENCES base_cell (id), auto_score FLOAT, manual_score FLOAT,
  extra_credit FLOAT, needs_manual_grade BOOLEAN NOT NULL, UNIQUE (cell_id, notebook_id));
CREATE TABLE comment (id VARCHAR(32) NOT NULL PRIMARY KEY,
  notebook_id VARCHAR(32) REFERENCES submitted_notebook (id),
  cell_id VARCHAR(32) REFERENCES base_cell (id), auto_comment TEXT, manual_comment TEXT,
  UNIQUE (cell_id, notebook_id));
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
"""


class GradebookError(GraderError):
    """A file is no gradebook that can be read, or one cannot be written; the message says what to do."""


@dataclass(frozen=True, slots=True)
class GradedCell:
    """A cell with points. `manual`: a human grades it."""

    name: str
    max_score: Decimal
    cell_type: Literal["code", "markdown"] = "code"
    kind: Literal["test", "answer", "task"] = "test"


@dataclass(frozen=True, slots=True)
class BookNotebook:
    """One notebook of an assignment."""

    name: str
    cells: tuple[GradedCell, ...]


@dataclass(frozen=True, slots=True)
class BookAssignment:
    """One assignment."""

    name: str
    due_at: datetime | None
    notebooks: tuple[BookNotebook, ...]


@dataclass(frozen=True, slots=True)
class Student:
    """One student; the id is what nbgrader calls them."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class CellGrade:
    """What one student has for one cell."""

    notebook: str
    cell: str
    auto_score: Decimal | None = None
    manual_score: Decimal | None = None
    extra_credit: Decimal | None = None
    needs_manual_grade: bool = False
    auto_comment: str = ""
    manual_comment: str = ""

    @property
    def score(self) -> Decimal:
        """The human's points where there are any, else the machine's, and the extra credit."""
        chosen = self.auto_score if self.manual_score is None else self.manual_score
        return (chosen or Decimal(0)) + (
            (self.extra_credit or Decimal(0)) if chosen is not None else Decimal(0)
        )


@dataclass(frozen=True, slots=True)
class BookSubmission:
    """What one student handed in for one assignment."""

    assignment: str
    student: str
    submitted_at: datetime | None
    grades: tuple[CellGrade, ...]
    penalties: dict[str, Decimal] = field(default_factory=dict)  # notebook → late penalty
    extension: timedelta | None = None

    @property
    def score(self) -> Decimal:
        """The sum of its cells without the late penalties."""
        return sum((grade.score for grade in self.grades), Decimal(0))


@dataclass(frozen=True, slots=True)
class Book:
    """A whole gradebook."""

    course: str
    assignments: tuple[BookAssignment, ...]
    students: tuple[Student, ...]
    submissions: tuple[BookSubmission, ...]


# --- reading ---------------------------------------------------------------------------------------


def read_gradebook(path: Path) -> Book:
    """Everything that counts in a gradebook.db.

    Raises:
        GradebookError: it is none, or too large, or its tables are not nbgrader's.
    """
    import sqlite3

    if not path.is_file():
        raise GradebookError(f"{path}: no such file; name nbgrader's gradebook.db.")
    if path.stat().st_size > MAX_BYTES:
        raise GradebookError(
            f"{path}: is larger than {MAX_BYTES // 2**20} MiB; export fewer terms."
        )
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as database:
            _guard(database)
            database.row_factory = sqlite3.Row
            return _Reader(database, path).book()
    except IndexError:  # what sqlite3 raises for a column that is not there
        raise GradebookError(f"{path}: a table lacks a column; is it nbgrader's?") from None
    except (sqlite3.Error, OverflowError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise GradebookError(f"{path}: {error}; is it nbgrader's gradebook.db?") from None


def _guard(database: sqlite3.Connection) -> None:
    """Nothing in the file may run for long or grow: no extension, no huge value, and a clock."""
    import sqlite3

    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA cell_size_check = ON")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    until = time.monotonic() + READING_SECONDS
    database.set_progress_handler(lambda: time.monotonic() > until, 100_000)


class _Reader:
    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self.database, self.path = database, path
        # A virtual table (rootpage 0) runs its module's code, and a generated column its own.
        found = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 "
            "AND sql NOT LIKE '%GENERATED%' AND sql NOT LIKE '% AS (%' AND sql NOT LIKE '% AS(%'"
        )
        self.tables = {str(row[0]) for row in found}
        missing = {"assignment", "notebook", "base_cell", "student", "grade"} - self.tables
        if missing:
            raise GradebookError(f"{path}: has no table {min(missing)!r}; it is no gradebook.db.")

    def rows(self, table: str) -> list[sqlite3.Row]:
        """A table whole; an older gradebook may not have it."""
        if table not in self.tables:
            return []
        (count,) = self.database.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608
        if count > MAX_ROWS:
            raise GradebookError(f"{self.path}: {table} has too many rows.")
        return self.database.execute(f'SELECT * FROM "{table}" ORDER BY id').fetchall()  # noqa: S608

    def book(self) -> Book:
        names = {row["id"]: str(row["name"]) for row in self.rows("assignment")}
        notebooks = {row["id"]: row for row in self.rows("notebook")}
        cells = {row["id"]: row for row in self.rows("base_cell")}
        graded = sorted(self._graded_cells(cells), key=lambda found: found[1].name)
        cells_of: dict[str, list[GradedCell]] = {}
        for place, graded_cell in graded:
            cells_of.setdefault(place, []).append(graded_cell)
        notebooks_of: dict[str, list[sqlite3.Row]] = {}
        for notebook in sorted(notebooks.values(), key=lambda n: str(n["name"])):
            notebooks_of.setdefault(notebook["assignment_id"], []).append(notebook)
        course = next((str(row["id"]) for row in self.rows("course")), "")
        return Book(
            course=course,
            assignments=tuple(
                BookAssignment(
                    name=str(row["name"]),
                    due_at=_time(row["duedate"]),
                    notebooks=tuple(
                        BookNotebook(
                            str(notebook["name"]),
                            tuple(cells_of.get(notebook["id"], ())),
                        )
                        for notebook in notebooks_of.get(row["id"], ())
                    ),
                )
                for row in sorted(self.rows("assignment"), key=lambda row: str(row["name"]))
            ),
            students=tuple(
                Student(str(row["id"]), *(_text(row, key) for key in _NAMES))
                for row in self.rows("student")
            ),
            submissions=tuple(self._submissions(names, notebooks, cells)),
        )

    def _graded_cells(self, cells: dict[str, sqlite3.Row]) -> Iterator[tuple[str, GradedCell]]:
        solutions = {row["id"] for row in self.rows("solution_cells")}
        answered = {
            (cells[key]["notebook_id"], cells[key]["name"]) for key in solutions if key in cells
        }
        for table in ("grade_cells", "task_cells"):
            for row in self.rows(table):
                cell = cells.get(row["id"])
                if cell is None:
                    continue
                kind: Literal["test", "answer", "task"] = "test"
                if table == "task_cells":
                    kind = "task"
                elif row["cell_type"] == "markdown" or (
                    (cell["notebook_id"], cell["name"]) in answered
                ):
                    kind = "answer"
                yield (
                    cell["notebook_id"],
                    GradedCell(
                        str(cell["name"]),
                        _points(row["max_score"]) or Decimal(0),
                        "markdown" if row["cell_type"] == "markdown" else "code",
                        kind,
                    ),
                )

    def _submissions(
        self,
        names: dict[str, str],
        notebooks: dict[str, sqlite3.Row],
        cells: dict[str, sqlite3.Row],
    ) -> Iterator[BookSubmission]:
        handed_in: dict[str, list[sqlite3.Row]] = {}
        for row in self.rows("submitted_notebook"):
            handed_in.setdefault(row["assignment_id"], []).append(row)
        grades: dict[str, list[sqlite3.Row]] = {}
        for row in self.rows("grade"):
            grades.setdefault(row["notebook_id"], []).append(row)
        comments = {(row["notebook_id"], row["cell_id"]): row for row in self.rows("comment")}
        for row in self.rows("submitted_assignment"):
            found: list[CellGrade] = []
            penalties: dict[str, Decimal] = {}
            for notebook in handed_in.get(row["id"], ()):
                source = notebooks.get(notebook["notebook_id"])
                if source is None:
                    continue
                name = str(source["name"])
                penalty = _points(_get(notebook, "late_submission_penalty"))
                if penalty:
                    penalties[name] = penalty
                for grade in grades.get(notebook["id"], ()):
                    cell = cells.get(grade["cell_id"])
                    comment = comments.get((notebook["id"], grade["cell_id"]))
                    if cell is not None:
                        found.append(_grade(name, str(cell["name"]), grade, comment))
            if row["assignment_id"] in names:
                yield BookSubmission(
                    assignment=names[row["assignment_id"]],
                    student=str(row["student_id"]),
                    submitted_at=_time(row["timestamp"]),
                    grades=tuple(sorted(found, key=lambda g: (g.notebook, g.cell))),
                    penalties=penalties,
                    extension=_interval(row["extension"]),
                )


_NAMES = ("first_name", "last_name", "email")


def _grade(notebook: str, cell: str, row: sqlite3.Row, comment: sqlite3.Row | None) -> CellGrade:
    return CellGrade(
        notebook=notebook,
        cell=cell,
        auto_score=_points(row["auto_score"]),
        manual_score=_points(row["manual_score"]),
        extra_credit=_points(_get(row, "extra_credit")),
        needs_manual_grade=bool(row["needs_manual_grade"]),
        auto_comment=_text(comment, "auto_comment") if comment else "",
        manual_comment=_text(comment, "manual_comment") if comment else "",
    )


def _get(row: sqlite3.Row, key: str) -> object:
    return row[key] if key in row.keys() else None  # noqa: SIM118 - a Row iterates over its values


def _text(row: sqlite3.Row, key: str) -> str:
    value = _get(row, key)
    return "" if value is None else str(value)


def _points(value: object) -> Decimal | None:
    if not isinstance(value, int | float) or value != value or abs(value) > 1e6:  # noqa: PLR0124
        return None
    return Decimal(str(round(float(value), 3)))


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=UTC) if value else None
    except ValueError:
        return None


def _interval(value: object) -> timedelta | None:
    time = _time(value)
    return None if time is None else time - EPOCH


# --- writing ---------------------------------------------------------------------------------------


def write_gradebook(book: Book, path: Path) -> None:
    """A new gradebook.db that nbgrader opens.

    Raises:
        GradebookError: the file exists, or a grade is for a cell that no notebook has.
    """
    import sqlite3

    if path.exists():
        raise GradebookError(f"{path}: exists already; choose another name or delete it.")
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.executescript(_TABLES)
        database.execute("INSERT INTO alembic_version VALUES (?)", (SCHEMA_VERSION,))
        _Writer(database, book).write()


class _Writer:
    def __init__(self, database: sqlite3.Connection, book: Book) -> None:
        self.database, self.book = database, book
        self.cells: dict[tuple[str, str, str], tuple[str, GradedCell]] = {}

    def row(self, table: str, *values: object) -> None:
        marks = ", ".join("?" * len(values))
        self.database.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608

    def write(self) -> None:
        course = self.book.course or "default_course"
        self.row("course", course)
        for assignment in self.book.assignments:
            key = _id(assignment.name)
            self.row("assignment", key, assignment.name, _stamp(assignment.due_at), course)
            for notebook in assignment.notebooks:
                self._notebook(assignment.name, notebook)
        for student in self.book.students:
            self.row(
                "student", student.id, student.first_name, student.last_name, student.email, None
            )
        for submission in self.book.submissions:
            self._submission(submission)

    def _notebook(self, assignment: str, notebook: BookNotebook) -> None:
        place = _id(assignment, notebook.name)
        self.row("notebook", place, notebook.name, _id(assignment), None)
        for cell in notebook.cells:
            key = _id(assignment, notebook.name, cell.name)
            table, kind = (
                ("task_cells", "TaskCell") if cell.kind == "task" else ("grade_cells", "GradeCell")
            )
            self.row("base_cell", key, cell.name, place, kind)
            self.row(table, key, float(cell.max_score), cell.cell_type)
            self.cells[assignment, notebook.name, cell.name] = key, cell

    def _submission(self, submission: BookSubmission) -> None:
        key = _id(submission.assignment, "submitted", submission.student)
        extension = None if submission.extension is None else _stamp(EPOCH + submission.extension)
        self.row(
            "submitted_assignment",
            key,
            _id(submission.assignment),
            submission.student,
            _stamp(submission.submitted_at),
            extension,
        )
        notebooks = {grade.notebook: "" for grade in submission.grades}
        for name in sorted(notebooks | dict.fromkeys(submission.penalties, "")):
            notebooks[name] = _id(key, name)
            penalty = submission.penalties.get(name)
            self.row(
                "submitted_notebook",
                notebooks[name],
                key,
                _id(submission.assignment, name),
                False,
                None if penalty is None else float(penalty),
            )
        for grade in submission.grades:
            self._grade(submission, notebooks[grade.notebook], grade)

    def _grade(self, submission: BookSubmission, notebook: str, grade: CellGrade) -> None:
        found = self.cells.get((submission.assignment, grade.notebook, grade.cell))
        if found is None:
            raise GradebookError(
                f"{submission.assignment}: {submission.student} has a grade for {grade.cell!r}, which is "
                f"no graded cell of {grade.notebook!r}."
            )
        cell_key, cell = found
        self.row(
            "grade",
            _id(notebook, grade.cell, "grade"),
            notebook,
            cell_key,
            _float(grade.auto_score),
            _float(grade.manual_score),
            _float(grade.extra_credit),
            grade.needs_manual_grade,
        )
        if grade.auto_comment or grade.manual_comment or cell.kind == "task":
            words = (grade.auto_comment or None, grade.manual_comment or None)
            self.row("comment", _id(notebook, grade.cell, "comment"), notebook, cell_key, *words)


def _id(*names: str) -> str:
    """The same thing has the same id in every export."""
    return hashlib.sha256("\0".join(names).encode()).hexdigest()[:32]


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _stamp(value: datetime | None) -> str | None:
    if value is None:
        return None
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
