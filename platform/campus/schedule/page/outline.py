"""A page's lines → headings, tables and prose, each knowing the section it stands in.

Pages come with headings (`## Syllabus`), with HTML headings, or, after some converter, with none at
all; so a section is a hint for what follows and never a condition.
"""

import re
from dataclasses import dataclass

from campus.schedule.page.problems import Findings
from campus.schedule.page.source import Line
from campus.schedule.page.tables import Row, Table, column_name, has_pipe, is_delimiter, read_row

HASH_HEADING = re.compile(r"^ {0,3}(#{1,6})\s*(\S.*?)\s*#*$")
HTML_HEADING = re.compile(r"^\s*<h([1-6])\b[^<>]*>(.*?)(?:</h\1\s*>)?\s*$", re.IGNORECASE)
BOLD_HEADING = re.compile(r"^\s*(?:\*\*|__)([^*_:|]{3,60})(?:\*\*|__)\s*$")
UNDERLINE = re.compile(r"^ {0,3}(=+|-{3,})\s*$")
TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
BULLET = re.compile(r"^\s*(?:[-*+•·]|\d{1,2}[.)])\s+")
ROW_START = re.compile(
    r"^\s*(?:w(?:ee)?k?\s*\d|\[*\s*(?:homework|hw|assignment)\s*\d)", re.IGNORECASE
)

SECTIONS = (
    ("overview", re.compile(r"^(course\s+)?(overview|description|introduction|about)\b")),
    (
        "syllabus",
        re.compile(
            r"^((course|lecture|tentative|class)\s+)*(syllabus|schedule|calendar|lectures)\b"
        ),
    ),
    (
        "grading",
        re.compile(r"^((course|tentative)\s+)*(grading|assessment|evaluation|grades?|marking)\b"),
    ),
    ("homework", re.compile(r"^(home\s?works?|assignments?|problem\s+sets?|hws?)\b")),
    (
        "staff",
        re.compile(r"^(course\s+|teaching\s+)?(staff|team|instructors?|people|lecturers?)\b"),
    ),
)
PLAIN_HEADINGS = frozenset(
    ["overview", "syllabus", "schedule", "grading", "grading policy", "homework", "homeworks"]
) | {"assignments", "course overview", "grading scheme", "assessment"}
KNOWN_TITLES = frozenset(["date", "dates", "week", "topic", "topics", "release", "due", "deadline"])


@dataclass(frozen=True, slots=True)
class Heading:
    line: int
    level: int
    text: str
    section: str  # "" for one that names no section, such as the title


@dataclass(frozen=True, slots=True)
class Prose:
    """A line outside of tables; `text` has no HTML."""

    line: int
    text: str
    section: str


@dataclass(frozen=True, slots=True)
class Outline:
    headings: tuple[Heading, ...]
    tables: tuple[Table, ...]
    prose: tuple[Prose, ...]


def read_outline(lines: tuple[Line, ...], findings: Findings) -> Outline:
    """Sort the lines; pipe rows that a blank line cut off go back to their table."""
    headings: list[Heading] = []
    tables: list[Table] = []
    prose: list[Prose] = []
    section = ""
    index = 0
    while index < len(lines):
        line = lines[index]
        if (heading := heading_at(lines, index, section)) is not None:
            if heading.section:
                section = heading.section
            elif section:
                section = "other"
                findings.note(line.number, "page", heading.text, "this section is not imported")
            headings.append(heading)
            index += 2 if is_underlined(lines, index) else 1
        elif has_pipe(line.text) and (table_end := end_of_table(lines, index)) > index:
            tables.append(read_table(lines[index:table_end], section))
            index = table_end
        elif has_pipe(line.text) and tables and continues(tables[-1], lines, index):
            row = read_row(line, len(tables[-1].header.cells))
            findings.note(line.number, "page", line.text, "a row after a blank line")
            tables[-1] = with_row(tables[-1], row)
            index += 1
        else:
            text = TAG.sub(" ", line.text).rstrip()
            prose.append(Prose(line.number, text, section))
            index += 1
    return Outline(tuple(headings), tuple(tables), tuple(prose))


def heading_at(lines: tuple[Line, ...], index: int, section: str) -> Heading | None:
    text = lines[index].text
    if match := HASH_HEADING.match(text):
        return make_heading(lines[index], len(match.group(1)), match.group(2))
    if match := HTML_HEADING.match(text):
        return make_heading(lines[index], int(match.group(1)), match.group(2))
    bare = text.strip().strip("*_: ").lower()
    if bare in PLAIN_HEADINGS and not has_pipe(text):
        return make_heading(lines[index], 2, text.strip().strip("*_: "))
    if (match := BOLD_HEADING.match(text)) and section_of(match.group(1)):
        return make_heading(lines[index], 2, match.group(1))
    if is_underlined(lines, index):
        return make_heading(lines[index], 1 if "=" in lines[index + 1].text else 2, text)
    return None


def is_underlined(lines: tuple[Line, ...], index: int) -> bool:
    text = lines[index].text
    if not text.strip() or has_pipe(text) or BULLET.match(text) or len(text) > 100:
        return False
    return index + 1 < len(lines) and UNDERLINE.match(lines[index + 1].text) is not None


def make_heading(line: Line, level: int, text: str) -> Heading:
    bare = " ".join(TAG.sub(" ", text).strip(" *_").split())
    return Heading(line.number, level, bare, section_of(bare))


def section_of(text: str) -> str:
    """The kind of section that a heading opens; empty for an unknown one."""
    lowered = text.strip(" *_:").lower()
    return next((name for name, pattern in SECTIONS if pattern.match(lowered)), "")


def end_of_table(lines: tuple[Line, ...], index: int) -> int:
    """Where the table that starts here ends; `index` itself if none starts here."""
    if index + 1 >= len(lines):
        return index
    if is_delimiter(lines[index].text):
        return index
    if is_delimiter(lines[index + 1].text):
        end = index + 2
    elif is_known_header(lines[index].text) and has_pipe(lines[index + 1].text):
        end = index + 1
    else:
        return index
    while end < len(lines) and is_row(lines[end].text):
        if end + 1 < len(lines) and is_delimiter(lines[end + 1].text):
            break  # the header of the next table
        end += 1
    return end


def is_known_header(text: str) -> bool:
    names = [column_name(cell.text) for cell in read_row(Line(0, text), None).cells]
    return len(KNOWN_TITLES.intersection(names)) >= 2


def is_row(text: str) -> bool:
    """A line of a table; one that lost every pipe is known by how rows begin."""
    return has_pipe(text) or ROW_START.match(text) is not None


def continues(table: Table, lines: tuple[Line, ...], index: int) -> bool:
    """Whether a pipe row belongs to the table above it, with only blank lines between."""
    last = table.rows[-1].line if table.rows else table.header.line + 1
    above = index - 1
    while above >= 0 and not lines[above].text.strip():
        above -= 1
    return above >= 0 and lines[above].number == last


def read_table(lines: tuple[Line, ...], section: str) -> Table:
    header = read_row(lines[0], None)
    delimited = len(lines) > 1 and is_delimiter(lines[1].text)
    rows = lines[2:] if delimited else lines[1:]
    return Table(
        section=section,
        header=header,
        delimiter_cells=len(read_row(lines[1], None).cells) if delimited else None,
        rows=tuple(read_row(line, len(header.cells)) for line in rows),
    )


def with_row(table: Table, row: Row) -> Table:
    return Table(table.section, table.header, table.delimiter_cells, (*table.rows, row))
