"""The homework table → raw rows: what each is called, and its two date cells, scanned."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import time

from campus.schedule.page.columns import HOMEWORK
from campus.schedule.page.dates import Token, is_open, scan_dates
from campus.schedule.page.inline import CROSS, TICK
from campus.schedule.page.links import encoded, find_brackets, plain, why_refused
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.tables import Cell, Row, Table, cells, columns_of, has_whole_shape

MOST_HOMEWORKS = 60
LONGEST_TITLE = 200

NAME = re.compile(
    r"^(?P<word>home\s?work|hw|assignment|problem\s+set|pset|ps|lab|project|exercise|a)\s*[-#:.]?\s*"
    r"0*(?P<number>\d{1,2})(?!\d)\s*(?:[-–—:.,(]\s*)?(?P<rest>.*)$",
    re.IGNORECASE,
)
TIME = re.compile(
    r"(?<!\d)(\d{1,2})[:：](\d{2})(?:[:：]\d{2})?\s*([ap])?\.?(?:m\b\.?)?", re.IGNORECASE
)
WORDS = {"hw": "homework", "ps": "problem-set", "pset": "problem-set", "a": "assignment"}


@dataclass(frozen=True, slots=True)
class RawDate:
    """One date cell: its only token, or why there is none; its tick and its time of day."""

    cell: Cell
    token: Token | None
    open: bool
    ticked: bool
    time: time | None
    complaint: str


@dataclass(frozen=True, slots=True)
class RawHomework:
    """A row of the homework table before its dates are settled."""

    line: int
    key: str
    title: str
    url: str
    release: RawDate
    due: RawDate


def read_homework_rows(tables: Sequence[Table], findings: Findings) -> tuple[RawHomework, ...]:
    """All rows of all homework tables, each key once."""
    rows: list[RawHomework] = []
    seen: dict[str, RawHomework] = {}
    for table in tables:
        before = len(findings.problems)
        columns = columns_of(table, "homework", HOMEWORK, findings)
        if not has_whole_shape(table, "homework", findings):
            continue
        if len(findings.problems) == before and not has_columns(table, columns, findings):
            continue
        if not {"name", "release", "due"} <= columns.keys():
            continue
        for row in table.rows[: MOST_HOMEWORKS + 1]:
            homework = read_row(row, table, columns, len(rows) + 1, findings)
            if homework is None:
                continue
            if homework.key in seen:
                findings.report(
                    Problem(
                        homework.line,
                        homework.key,
                        homework.title,
                        f"{homework.key} is also on line {seen[homework.key].line}",
                        remedy="give each homework its own number",
                        column=row.cells[0].column,
                    )
                )
                # Its dates are looked at all the same, under a name of its own.
                homework = replace(homework, key=f"homework.row{len(rows) + 1}")
            seen[homework.key] = homework
            rows.append(homework)
    if len(rows) > MOST_HOMEWORKS:
        message = f"a course has at most {MOST_HOMEWORKS} homeworks, this page has {len(rows)}"
        findings.report(
            Problem(rows[MOST_HOMEWORKS].line, "homework", "", message, "", "shorten it")
        )
        rows = rows[:MOST_HOMEWORKS]
    return tuple(rows)


def has_columns(table: Table, columns: dict[str, tuple[int, ...]], findings: Findings) -> bool:
    """Whether topic, release and due are there; a lost column is reported once, at the header."""
    missing = [
        title
        for role, title in (("name", "Topic"), ("release", "Release"), ("due", "Due"))
        if role not in columns
    ]
    for title in missing:
        findings.report(
            Problem(
                table.header.line,
                f"homework.{title.lower()}",
                table.header.text.strip(),
                f"the homework table has no column {title}",
                remedy="give the table its columns Topic | Release | Due back",
            )
        )
    return not missing


def read_row(
    row: Row, table: Table, columns: dict[str, tuple[int, ...]], index: int, findings: Findings
) -> RawHomework | None:
    """One row; None where it cannot even be told which homework it is."""
    width = len(table.header.cells)
    short = len(row.cells) < width
    if short or any(cell.text for cell in row.cells[width:]):
        titles = " | ".join(cell.text for cell in table.header.cells)
        name = homework_name(row.cells[0].text) if row.cells else None
        findings.report(
            Problem(
                row.line,
                f"homework.row{index}" if name is None else name[0],
                row.text.strip(),
                f"this row has {cells(len(row.cells))}, the header has {width}",
                remedy=f"write the row as {titles}"
                if short
                else r"write a pipe inside of a cell as \|",
            )
        )
        return None
    cell = row.cells[columns["name"][0]]
    name = homework_name(cell.text)
    if name is None or len(name[1]) > LONGEST_TITLE:
        findings.report(
            Problem(
                row.line,
                f"homework.row{index}",
                cell.text,
                "this names no homework" if name is None else "this name is too long",
                remedy="write Homework1, Homework2, …",
                column=cell.column,
            )
        )
        return None
    return RawHomework(
        line=row.line,
        key=name[0],
        title=name[1],
        url=homework_address(cell, row.line, name[0], findings),
        release=read_date_cell(row.cells[columns["release"][0]]),
        due=read_date_cell(row.cells[columns["due"][0]]),
    )


def homework_name(text: str) -> tuple[str, str] | None:
    """Key and title: `[[Homework1]](url)` is homework1, Homework 1; without a number, a slug."""
    bare = TICK.sub(" ", text)
    for bracket in reversed(find_brackets(bare)):
        bare = f"{bare[: bracket.start]} {bracket.label} {bare[bracket.end :]}"
    bare = " ".join(re.sub(r"<[^<>]*>|[*_`~]", " ", plain(bare)).split())
    if match := NAME.match(bare):
        word = match["word"].lower().replace(" ", "")
        word = WORDS.get(word, "problem-set" if word == "problemset" else word)
        title = f"{word.replace('-', ' ').capitalize()} {match['number']}"
        rest = match["rest"].strip(" )")
        return f"{word}{match['number']}", f"{title}: {rest}" if rest else title
    if bare.isdecimal() and len(bare) <= 2:
        return f"homework{int(bare)}", f"Homework {int(bare)}"
    slug = re.sub(r"[^a-z0-9]+", "-", bare.lower()).strip("-")[:40]
    return (slug, bare) if slug else None


def homework_address(cell: Cell, line: int, key: str, findings: Findings) -> str:
    """Where the name links to; a refused address is reported."""
    for bracket in find_brackets(cell.text):
        if not bracket.address:
            continue
        address = encoded(bracket.address)
        if (reason := why_refused(bracket.address)) is None:
            return address
        findings.report(
            Problem(line, f"{key}.url", address, reason, "", "mend the address", cell.column)
        )
    return ""


def read_date_cell(cell: Cell) -> RawDate:
    """Scan one date cell; nothing is reported yet, because the page's order of dates is not known."""
    ticked = TICK.search(cell.text) is not None
    text = CROSS.sub(" ", TICK.sub(" ", plain(TICK.sub(" ✔ ", cell.text))))
    text = re.sub(r"<[^<>]*>|\*\*|__|[\[\]]", " ", text)
    at_time, complaint = None, ""
    if match := TIME.search(text):
        at_time = time_of_day(match)
        complaint = "" if at_time else f"“{match.group()}” is not a time of day"
        text = f"{text[: match.start()]} {text[match.end() :]}"
    scan = scan_dates(text.strip(), cell.column)
    unsettled = is_open(text) or text.strip() in {"-", "–", "—"}
    if not unsettled and not complaint:
        if not scan.tokens:
            complaint = "no date stands here" if not text.strip() else "this is not a date"
        elif len(scan.tokens) > 1 or scan.is_range:
            complaint = "more than one date stands here"
        elif scan.leftover:
            complaint = f"“{scan.leftover}” is not a date"
    token = scan.tokens[0] if scan.tokens and not complaint else None
    return RawDate(cell, token, unsettled, ticked, at_time, complaint)


def time_of_day(match: re.Match[str]) -> time | None:
    hour, minute = int(match.group(1)), int(match.group(2))
    half = (match.group(3) or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None
