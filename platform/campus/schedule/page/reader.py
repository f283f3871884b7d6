"""A course page, from bytes to frozen values, with everything that is wrong with it.

The page is cleaned and sorted into tables and prose; each table is known by its columns and each line
by its form, so that headings help but need not be there. Nothing here raises for what a page contains:
what cannot be read is a `Problem`, and a page with problems is not to be applied.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from campus.schedule.page.columns import HOMEWORK, SYLLABUS, WEIGHTS, Roles
from campus.schedule.page.dates import Token
from campus.schedule.page.homework import RawHomework, read_homework_rows
from campus.schedule.page.homework_dates import read_homeworks
from campus.schedule.page.outline import ROW_START, Outline, read_outline
from campus.schedule.page.people import read_people
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.shapes import CoursePage, PageHomework, PageWeek, PageWeight
from campus.schedule.page.source import read_lines
from campus.schedule.page.tables import Table, column_name, has_pipe
from campus.schedule.page.term import infer_term
from campus.schedule.page.titles import read_overview, read_title
from campus.schedule.page.week_rows import LABEL, RawWeek, read_week_rows
from campus.schedule.page.weeks import read_weeks
from campus.schedule.page.weight_tree import homework_weight
from campus.schedule.page.weights import read_weights


@dataclass(frozen=True, slots=True)
class Reading:
    """What came out of one reading. `page` is only to be used if there are no problems."""

    page: CoursePage
    findings: Findings

    @property
    def is_sound(self) -> bool:
        return not self.findings.problems and not self.findings.unused_choices()


@dataclass(frozen=True, slots=True)
class SortedTables:
    syllabus: tuple[Table, ...]
    homework: tuple[Table, ...]
    weights: tuple[Table, ...]


def read_page(source: bytes, *, year: int, choices: Mapping[str, str] | None = None) -> Reading:
    """Read the page of a course that begins in `year`; never raises because of its content."""
    findings = Findings(choices=dict(choices or {}))
    lines = read_lines(source, findings)
    if not lines:
        return Reading(CoursePage("", "", "", (), (), (), ()), findings)
    outline = read_outline(lines, findings)
    tables = sort_tables(outline, findings)
    code, title = read_title(outline.headings, year, findings)
    week_rows = read_week_rows(tables.syllabus, findings)
    homework_rows = read_homework_rows(tables.homework, findings)
    weeks, homeworks = read_calendar(week_rows, homework_rows, year, findings)
    if not tables.syllabus:
        remedy = "add a table with the columns Date | Topic, one row a week"
        findings.report(Problem(1, "syllabus", "", "the page has no syllabus table", "", remedy))
    weights = read_weights(outline.prose, tables.weights, findings)
    check_homework_count(weights, homeworks, tables, findings)
    page = CoursePage(
        code=code,
        title=title,
        overview=read_overview(outline.prose, findings),
        people=read_people(outline.prose, findings),
        weeks=weeks,
        weights=weights,
        homeworks=homeworks,
    )
    return Reading(page, findings)


def sort_tables(outline: Outline, findings: Findings) -> SortedTables:
    """Which table is what, told by its columns, else by its rows, else by its section."""
    sorted_tables: dict[str, list[Table]] = {"syllabus": [], "homework": [], "weights": []}
    for table in outline.tables:
        kind = kind_of_table(table)
        if kind:
            sorted_tables[kind].append(table)
        else:
            findings.note(
                table.header.line, "page", table.header.text.strip(), "this table is not imported"
            )
    for line in outline.prose:
        if has_pipe(line.text) and ROW_START.match(line.text.strip("| ")):
            findings.report(
                Problem(
                    line.line,
                    "page",
                    line.text.strip(),
                    "this row stands outside of its table",
                    remedy="put it directly under the other rows",
                )
            )
    return SortedTables(
        *(tuple(sorted_tables[kind]) for kind in ("syllabus", "homework", "weights"))
    )


def kind_of_table(table: Table) -> str:
    """syllabus, homework or weights; empty for a table about something else."""
    titles = {column_name(cell.text) for cell in table.header.cells}

    def has(roles: Roles, *names: str) -> bool:
        return all(titles & roles[name] for name in names)

    first_cells = [row.cells[0].text for row in table.rows if row.cells]
    week_rows = sum(1 for text in first_cells if LABEL.match(text))
    homework_rows = sum(1 for text in first_cells if ROW_START.match(text)) - week_rows
    if has(HOMEWORK, "release") or has(HOMEWORK, "due"):
        return "homework"
    if has(SYLLABUS, "date", "topic") or has(SYLLABUS, "week", "topic"):
        return "syllabus"
    if has(WEIGHTS, "weight") and week_rows == 0:
        return "weights"
    if first_cells and week_rows * 2 > len(first_cells):
        return "syllabus"
    if first_cells and homework_rows * 2 > len(first_cells):
        return "homework"
    return {"syllabus": "syllabus", "homework": "homework"}.get(table.section, "")


def read_calendar(
    week_rows: tuple[RawWeek, ...],
    homework_rows: tuple[RawHomework, ...],
    year: int,
    findings: Findings,
) -> tuple[tuple[PageWeek, ...], tuple[PageHomework, ...]]:
    """Weeks and homeworks, whose dates have to be understood together."""
    dates = [raw.token for row in homework_rows for raw in (row.release, row.due)]
    others: list[Token] = [token for token in dates if token is not None]
    line = week_rows[0].line if week_rows else homework_rows[0].line if homework_rows else 1
    term = infer_term([row.scan.tokens for row in week_rows], others, year, findings, line)
    weeks = read_weeks(week_rows, term, findings)
    course_days: list[date] = [day for week in weeks for day in week.dates]
    return weeks, read_homeworks(homework_rows, term, course_days, findings)


def check_homework_count(
    weights: tuple[PageWeight, ...],
    homeworks: tuple[PageHomework, ...],
    tables: SortedTables,
    findings: Findings,
) -> None:
    """The grading's `4 Homework` against the rows of the homework table."""
    weight = homework_weight(weights)
    rows = sum(len(table.rows) for table in tables.homework)
    words = {re.sub(r"[\d-].*", "", homework.key) for homework in homeworks}
    if weight is None or weight.count == rows or len(words) > 1 or (weight.count == 1 and rows):
        return

    def parse(value: str) -> bool:
        if value != str(rows):
            raise ValueError(f"the table has {rows}, choose homework.count={rows}")
        return True

    findings.decide(
        Problem(
            weight.line,
            "homework.count",
            f"{weight.count} {weight.title}",
            f"the grading announces {weight.count}, the homework table has {rows}",
            remedy=f"mend one of them, or choose homework.count={rows} to import it as it is",
        ),
        parse,
    )
