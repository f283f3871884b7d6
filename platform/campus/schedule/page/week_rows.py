"""The syllabus tables → one raw row a week: its label, its dates as tokens, its cells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from campus.schedule.page.columns import SYLLABUS
from campus.schedule.page.dates import Scan, is_open, scan_dates
from campus.schedule.page.inline import CROSS, TICK
from campus.schedule.page.links import plain
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.source import DASH, DASHES
from campus.schedule.page.tables import Cell, Row, Table, cells, columns_of, has_whole_shape

MOST_WEEKS = 60
LARGEST_WEEK_NUMBER = 99
LONGEST_CELL = 4000

LABEL = re.compile(
    rf"^\W*(?:week|wk|w|第)\s*(?:[.#:]|{DASH})?\s*0*(\d{{1,4}})\s*(?:周|週)?", re.IGNORECASE
)
BARE_LABEL = re.compile(rf"^\s*0*(\d{{1,2}})\s*(?:[:)]|\s{DASH}\s)\s*(?=[\dA-Za-z(])")
NUMBER_ALONE = re.compile(
    r"^\W*(?:week|wk|w|第)?\s*[.#:]?\s*0*(\d{1,4})\s*(?:周|週)?\W*$", re.IGNORECASE
)
EMPHASIS = re.compile(r"\*{1,3}|_{2,3}")
REMARK = re.compile(r"\([^()\d]*\)")
WEEKDAY_REMARK = re.compile(r"\(\s*(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?\s*\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RawWeek:
    """A row of the syllabus before its number and dates are settled."""

    row: int  # 1 is the first of all syllabus rows
    line: int
    label: str
    number: int | None
    date_cell: Cell
    scan: Scan
    undecided: bool  # TBD stands where the dates should
    topic_cell: Cell | None
    whole: bool  # it has a cell for every column
    resource_cells: tuple[tuple[str, Cell], ...]  # with the column's title


def read_week_rows(tables: Sequence[Table], findings: Findings) -> tuple[RawWeek, ...]:
    """All rows of all syllabus tables, in the order of the page."""
    weeks: list[RawWeek] = []
    for table in tables:
        before = len(findings.problems)
        columns = columns_of(table, "syllabus", SYLLABUS, findings)
        if not has_whole_shape(table, "syllabus", findings):
            continue
        if len(findings.problems) == before and not has_columns(table, columns, findings):
            continue
        if "topic" not in columns or not ("date" in columns or "week" in columns):
            continue
        for row in table.rows:
            if len(weeks) == MOST_WEEKS:
                message = f"a course has at most {MOST_WEEKS} weeks"
                remedy = "give the page of one course"
                findings.report(Problem(row.line, "syllabus", row.text, message, "", remedy))
                return tuple(weeks)
            weeks.append(read_week_row(row, table, columns, len(weeks) + 1, findings))
    return tuple(weeks)


def has_columns(table: Table, columns: dict[str, tuple[int, ...]], findings: Findings) -> bool:
    """Whether the table has dates and topics; a lost column is reported once, at the header."""
    missing = [title for role, title in (("topic", "Topic"),) if role not in columns]
    if "date" not in columns and "week" not in columns:
        missing.append("Date")
    for title in missing:
        findings.report(
            Problem(
                table.header.line,
                "syllabus",
                table.header.text.strip(),
                f"the syllabus has no column {title}",
                remedy="give the table its columns Date | Topic back",
            )
        )
    return not missing


def read_week_row(
    row: Row, table: Table, columns: dict[str, tuple[int, ...]], index: int, findings: Findings
) -> RawWeek:
    """One row; a cell that is gone is reported with the field that it would have filled."""

    def cell_of(position: int) -> Cell | None:
        return row.cells[position] if position < len(row.cells) else None

    label_cell = cell_of(columns["week"][0]) if "week" in columns else None
    date_cell = (cell_of(columns["date"][0]) if "date" in columns else label_cell) or Cell("", 1)
    number, dates = read_label(label_cell, date_cell)
    at = date_cell.column + max(0, date_cell.text.find(dates))
    dates = without_remarks(CROSS.sub(" ", TICK.sub(" ", dates)), row.line, index, findings)
    whole = is_whole(row, table, number, index, findings)
    return RawWeek(
        row=index,
        line=row.line,
        label=date_cell.text if label_cell is None else label_cell.text,
        number=number,
        date_cell=date_cell,
        scan=scan_dates(dates[:LONGEST_CELL], at),
        undecided=is_open(dates),
        topic_cell=whole
        if isinstance(whole, Cell)
        else cell_of(columns["topic"][0])
        if whole
        else None,
        whole=bool(whole),
        resource_cells=tuple(
            (table.header.cells[position].text, cell)
            for position in columns.get("resources", ())
            if (cell := cell_of(position)) is not None and cell.text.strip(DASHES + " ")
        ),
    )


def without_remarks(text: str, line: int, index: int, findings: Findings) -> str:
    """The dates without `(no class)` and the like; `(Tue)` says something about a date and stays."""

    def keep_weekday(match: re.Match[str]) -> str:
        if WEEKDAY_REMARK.fullmatch(match.group()):
            return match.group()
        findings.note(line, f"row{index}.dates", match.group(), "this remark is not imported")
        return " "

    return REMARK.sub(keep_weekday, text)


def read_label(label_cell: Cell | None, date_cell: Cell) -> tuple[int | None, str]:
    """The week's number and the text in which its dates are."""
    number: int | None = None
    rest = EMPHASIS.sub("", plain(date_cell.text))
    if label_cell is not None and label_cell is not date_cell:
        alone = NUMBER_ALONE.match(plain(label_cell.text))
        number = int(alone.group(1)) if alone else None
        if number is not None and (match := LABEL.match(rest)) and int(match.group(1)) == number:
            rest = rest[match.end() :]
    elif (match := LABEL.match(rest)) or (match := BARE_LABEL.match(rest)):
        number = int(match.group(1))
        rest = rest[match.end() :]
    elif label_cell is not None and (match := NUMBER_ALONE.match(rest)):
        number, rest = int(match.group(1)), ""
    return number, rest.lstrip(DASHES + " .:,;|")


def is_whole(
    row: Row, table: Table, number: int | None, index: int, findings: Findings
) -> bool | Cell:
    """Whether the row has a cell for every column; the chosen cell where only the topic is gone."""
    width = len(table.header.cells)
    if len(row.cells) == width:
        return True
    extra = row.cells[width:]
    if extra and not any(cell.text for cell in extra):
        findings.note(row.line, f"row{index}", row.text, "an empty cell too many")
        return True
    titles = " | ".join(cell.text for cell in table.header.cells)
    problem = Problem(
        row.line,
        f"row{index}" if number is None else f"week{number}",
        row.text.strip(),
        f"this row has {cells(len(row.cells))}, the header has {width}",
        remedy=r"write a pipe inside of a cell as \|" if extra else f"write the row as {titles}",
    )
    if number is not None and len(row.cells) == 1 and width == 2:
        problem = replace(problem, field=f"week{number}.topics")
        return findings.decide(problem, lambda chosen: Cell(chosen, 1)) or False
    findings.report(problem)
    return False
