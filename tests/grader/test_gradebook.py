"""gradebook.db in and out, with nbgrader's own Gradebook and exporter as oracles."""

import csv
import os
import sqlite3
import subprocess
import sys
import warnings
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from grader.gradebook import (
    Book,
    BookAssignment,
    BookNotebook,
    BookSubmission,
    CellGrade,
    GradebookError,
    GradedCell,
    Student,
    read_gradebook,
    write_gradebook,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nbgrader.api import Gradebook

DUE = datetime(2026, 3, 1, 12, tzinfo=UTC)
BIN = str(Path(sys.executable).parent)
BOOK = Book(
    course="ml",
    assignments=(
        BookAssignment(
            "ps1",
            DUE,
            (
                BookNotebook(
                    "p1",
                    (
                        GradedCell("drawing", Decimal(2), "markdown", "task"),
                        GradedCell("test", Decimal(3)),
                        GradedCell("words", Decimal(5), "markdown", "answer"),
                    ),
                ),
            ),
        ),
    ),
    students=(Student("outsider"), Student("student", "Sam", "Student", "student@example.org")),
    submissions=(
        BookSubmission(
            "ps1",
            "student",
            DUE + timedelta(hours=2),
            (
                CellGrade("p1", "drawing", manual_score=Decimal("1.5"), manual_comment="Axes!"),
                CellGrade("p1", "test", auto_score=Decimal(1), extra_credit=Decimal("0.5")),
                CellGrade("p1", "words", needs_manual_grade=True, auto_comment="No response."),
            ),
            {"p1": Decimal(1)},
            timedelta(hours=1),
        ),
    ),
)


@pytest.fixture(autouse=True)
def alembic_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Creating a gradebook, nbgrader starts `alembic`, which lies beside this Python."""
    monkeypatch.setenv("PATH", f"{BIN}:{os.environ['PATH']}")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_gradebook(BOOK, tmp_path / "gradebook.db")
    assert read_gradebook(tmp_path / "gradebook.db") == BOOK


def test_nbgrader_opens_what_is_written_and_finds_every_score(tmp_path: Path) -> None:
    write_gradebook(BOOK, tmp_path / "gradebook.db")
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", "ml") as theirs:
        assert theirs.find_assignment("ps1").max_score == 10
        submission = theirs.find_submission("ps1", "student")
        assert submission.score == 3
        assert submission.late_submission_penalty == 1
        assert submission.total_seconds_late == 3600
        assert submission.needs_manual_grade
        grade = theirs.find_grade("test", "p1", "ps1", "student")
        assert (grade.auto_score, grade.extra_credit, grade.max_score) == (1, 0.5, 3)
        assert theirs.find_comment("drawing", "p1", "ps1", "student").comment == "Axes!"


def test_nbgraders_own_command_exports_what_is_written(tmp_path: Path) -> None:
    write_gradebook(BOOK, tmp_path / "gradebook.db")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "nbgrader", "export", "--course", "ml"),
            *("--db", f"sqlite:///{tmp_path / 'gradebook.db'}"),
        ],
        cwd=tmp_path,
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = {row["student_id"]: row for row in csv.DictReader((tmp_path / "grades.csv").open())}
    assert {key: float(rows["student"][key]) for key in ("raw_score", "score", "max_score")} == {
        "raw_score": 3.0,
        "score": 2.0,
        "max_score": 10.0,
    }
    assert float(rows["outsider"]["score"]) == 0


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
def test_what_nbgrader_writes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.db"
    with Gradebook(f"sqlite:///{path}", "ml") as theirs:
        theirs.add_assignment("ps1", duedate="2026-03-01 12:00:00 UTC")
        theirs.add_notebook("p1", "ps1")
        theirs.add_grade_cell("test", "p1", "ps1", max_score=3, cell_type="code")
        theirs.add_grade_cell("words", "p1", "ps1", max_score=5, cell_type="markdown")
        theirs.add_task_cell("drawing", "p1", "ps1", max_score=2, cell_type="markdown")
        theirs.add_student("student", first_name="Sam", last_name="Student")
        submission = theirs.add_submission("ps1", "student", timestamp="2026-03-01 14:00:00 UTC")
        submission.notebooks[0].late_submission_penalty = 1
        theirs.find_grade("test", "p1", "ps1", "student").auto_score = 2.5
        words = theirs.find_grade("words", "p1", "ps1", "student")
        words.manual_score, words.extra_credit, words.needs_manual_grade = 4, 1, False
        drawing = theirs.find_grade("drawing", "p1", "ps1", "student")
        drawing.needs_manual_grade = True
        theirs.db.commit()
        expected = theirs.find_submission("ps1", "student").score
    book = read_gradebook(path)
    (submission_read,) = book.submissions
    assert submission_read.submitted_at == DUE + timedelta(hours=2)
    assert submission_read.penalties == {"p1": 1}
    assert float(submission_read.score) == expected == 7.5
    kinds = {cell.name: cell.kind for cell in book.assignments[0].notebooks[0].cells}
    assert kinds == {"test": "test", "words": "answer", "drawing": "task"}
    assert [g.cell for g in submission_read.grades if g.needs_manual_grade] == ["drawing", "test"]
    write_gradebook(book, tmp_path / "again.db")
    assert read_gradebook(tmp_path / "again.db") == book


def test_an_older_gradebook_without_later_columns_is_read(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.db"
    write_gradebook(BOOK, path)
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE grade DROP COLUMN extra_credit")
        database.execute("ALTER TABLE student DROP COLUMN lms_user_id")
        database.execute("DROP TABLE task_cells")
        database.execute("DROP TABLE course")
    book = read_gradebook(path)
    assert {cell.name for cell in book.assignments[0].notebooks[0].cells} == {"test", "words"}


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "has no table"), (b"not a database at all, but long enough" * 9, "is it nbgrader's")],
)
def test_what_is_no_gradebook_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.db").write_bytes(content)
    with pytest.raises(GradebookError, match=said):
        read_gradebook(tmp_path / "x.db")


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("mine")
    with pytest.raises(GradebookError, match="exists already"):
        write_gradebook(BOOK, tmp_path / "x.db")
    assert (tmp_path / "x.db").read_text() == "mine"


HOSTILE_SQL = {
    "a view in place of a table": "DROP TABLE grade; CREATE VIEW grade AS SELECT 1 AS id",
    "a view that never ends": (
        "DROP TABLE grade; CREATE VIEW grade AS WITH RECURSIVE n(id) AS "
        "(SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id FROM n"
    ),
    "a virtual table": "DROP TABLE comment; CREATE VIRTUAL TABLE comment USING fts5(id)",
    "a column that makes gigabytes": (
        "DROP TABLE student; CREATE TABLE student (id TEXT, first_name TEXT, "
        "x TEXT GENERATED ALWAYS AS (hex(zeroblob(400000000))) VIRTUAL); INSERT INTO student VALUES ('a', 'b')"
    ),
    "a huge value": "UPDATE student SET first_name = zeroblob(90000000)",
    "a table without columns": "DROP TABLE grade; CREATE TABLE grade (id TEXT)",
    "triggers": "CREATE TRIGGER t AFTER INSERT ON grade BEGIN DELETE FROM grade; END",
    "text where numbers are": "UPDATE grade SET auto_score = 'many', manual_score = x'00ff'",
    "numbers where text is": "UPDATE student SET first_name = 9e999, id = 1 WHERE rowid = 1; UPDATE assignment SET duedate = 5",
    "bytes where names are": "UPDATE base_cell SET name = x'ff00fe' WHERE rowid = 1",
    "dates that no calendar has": "UPDATE submitted_assignment SET timestamp = '99999-01-01', extension = '0001-01-01'",
    "no text": "UPDATE assignment SET name = CAST(x'ff' AS TEXT) WHERE rowid = 1",
}


@pytest.mark.parametrize("name", HOSTILE_SQL)
def test_a_hostile_gradebook_is_read_or_refused_and_nothing_else(tmp_path: Path, name: str) -> None:
    path = tmp_path / "gradebook.db"
    write_gradebook(BOOK, path)
    with sqlite3.connect(path) as database:
        database.executescript("PRAGMA foreign_keys = OFF;" + HOSTILE_SQL[name])
    database.close()
    try:
        book = read_gradebook(path)
    except GradebookError as error:
        assert str(path) in str(error)  # noqa: PT017 - either is right
    else:
        assert len(book.assignments) == len(BOOK.assignments)
