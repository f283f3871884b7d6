"""Markdown tables: cells with their place, rows that lost a cell, columns by their name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise

from campus.schedule.page.columns import Roles
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.source import DASHES, Line

PIPE = re.compile(r"(?<!\\)\|")
CODE_SPAN = re.compile(r"`[^`]*`")
LINK_SPAN = re.compile(r"\[[^\[\]]*\]\]?\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)")
DELIMITER_CELL = re.compile(rf":?[{re.escape(DASHES)}]+:?")
NOT_A_NAME = re.compile(r"[^\w%#&/ -]+")
PARENTHESIS = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Cell:
    """The text between two pipes; `column` is where it starts in its line, from 1."""

    text: str
    column: int


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    text: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as written. `delimiter_cells` is None where the line under the header is missing."""

    section: str
    header: Row
    delimiter_cells: int | None
    rows: tuple[Row, ...]


def has_pipe(text: str) -> bool:
    return PIPE.search(text) is not None


def is_delimiter(text: str) -> bool:
    """Whether the line is the `---|---` under a header."""
    cells = [cell.text for cell in split_cells(text)]
    return bool(cells) and all(DELIMITER_CELL.fullmatch(cell) for cell in cells)


def split_cells(text: str, expected: int | None = None) -> tuple[Cell, ...]:
    """The line's cells. A pipe inside a link or code ends no cell if the count then fits."""
    pipes = [match.start() for match in PIPE.finditer(text)]
    plain = cut(text, pipes)
    if expected is None or len(plain) == expected:
        return plain
    spans = [m.span() for m in (*CODE_SPAN.finditer(text), *LINK_SPAN.finditer(text))]
    outside = [at for at in pipes if not any(start < at < end for start, end in spans)]
    careful = cut(text, outside)
    return careful if len(careful) == expected else plain


def cut(text: str, pipes: list[int]) -> tuple[Cell, ...]:
    edges = [-1, *pipes, len(text)]
    pieces = [(text[a + 1 : b], a + 1) for a, b in pairwise(edges)]
    if pipes and not pieces[0][0].strip():
        pieces = pieces[1:]
    if pipes and pieces and not pieces[-1][0].strip():
        pieces = pieces[:-1]
    return tuple(
        Cell(piece.strip().replace("\\|", "|"), start + len(piece) - len(piece.lstrip()) + 1)
        for piece, start in pieces
    )


def column_name(header: str) -> str:
    """A header cell as a plain lower-case name: `**Due** (HKT)` is `due`."""
    bare = PARENTHESIS.sub(" ", header) if PARENTHESIS.sub("", header).strip() else header
    return " ".join(NOT_A_NAME.sub(" ", bare.replace("_", " ")).lower().split()).strip("- ")


def read_row(line: Line, expected: int | None) -> Row:
    return Row(line.number, line.text, split_cells(line.text, expected))


def columns_of(
    table: Table, name: str, roles: Roles, findings: Findings
) -> dict[str, tuple[int, ...]]:
    """role → positions of its columns. An unknown column is a problem, not a guess."""
    found: dict[str, list[int]] = {}
    known = {title: role for role, titles in roles.items() for title in titles}
    for position, cell in enumerate(table.header.cells):
        title = column_name(cell.text)
        role = known.get(title)
        if role is None:
            role = unknown_column(table, name, position, known, findings)
        if role is None:
            continue
        if found.get(role) and role != "resources":
            findings.report(
                Problem(
                    table.header.line,
                    f"{name}.column{position + 1}",
                    cell.text,
                    "a second column of the same meaning",
                    remedy="keep one of them",
                    column=cell.column,
                )
            )
            continue
        found.setdefault(role, []).append(position)
    return {role: tuple(positions) for role, positions in found.items()}


def unknown_column(
    table: Table, name: str, position: int, known: Mapping[str, str], findings: Findings
) -> str | None:
    """The role chosen for a column that the importer does not know; None to leave it out."""
    cell = table.header.cells[position]
    close = get_close_matches(column_name(cell.text), list(known), n=1, cutoff=0.7)
    allowed = [*dict.fromkeys(known.values()), "ignore"]

    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"this can be one of {', '.join(allowed)}")
        return value

    chosen = findings.decide(
        Problem(
            table.header.line,
            f"{name}.column{position + 1}",
            cell.text,
            "a column that this importer does not know" if cell.text else "a column without a name",
            proposal=known[close[0]] if close else "ignore",
            column=cell.column,
        ),
        parse,
    )
    return None if chosen == "ignore" else chosen


def has_whole_shape(table: Table, name: str, findings: Findings) -> bool:
    """Whether header, delimiter and rows agree on the number of cells as far as it can be told.

    A row of its own that lost a cell is left to the caller, who can name the field that is gone.
    """
    width = len(table.header.cells)
    titles = " | ".join(cell.text for cell in table.header.cells)
    counts = {len(row.cells) for row in table.rows}
    if table.rows and min(counts) > width:
        findings.report(
            Problem(
                table.header.line,
                name,
                table.header.text.strip(),
                f"the header has {cells(width)}, but every row has at least {min(counts)}",
                remedy="give the header its missing column back",
            )
        )
        return False
    if table.delimiter_cells not in {None, width}:
        findings.report(
            Problem(
                table.header.line + 1,
                name,
                titles,
                f"the header has {cells(width)}, the line of dashes under it {table.delimiter_cells}",
                remedy=f"write {'|'.join(['---'] * width)} under {titles}",
            )
        )
    if table.delimiter_cells is None:
        findings.note(
            table.header.line, name, titles, "the line of dashes under the header is missing"
        )
    return True


def cells(count: int) -> str:
    return f"{count} cell" if count == 1 else f"{count} cells"
