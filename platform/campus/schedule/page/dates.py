"""Dates as people write them in a table cell → dates that exist, or a sentence about why not.

Reading takes two steps. First every cell is scanned into `Token`s, because whether `02/04` is the
fourth of February or the second of April can only be told from all dates of the page together.
Then each token becomes a date; one that cannot exist is reported with the nearest that can.
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.source import DASH, DASHES

MONTHS: Final = {
    name.lower(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
} | {"sept": 9}
WEEKDAYS: Final = {
    name.lower(): number
    for names in (calendar.day_name, calendar.day_abbr)
    for number, name in enumerate(names)
} | {"tues": 1, "thur": 3, "thurs": 3, "wedn": 2}

SEPARATOR = rf"(?:[/.]|{DASH})"
MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
WEEKDAY = "|".join(sorted(WEEKDAYS, key=len, reverse=True))
ORDINAL = r"(?:st|nd|rd|th)?"
DATE = re.compile(
    rf"""
      (?<!\d)(?P<iso_year>\d{{4}})\s?{SEPARATOR}\s?(?P<iso_month>\d{{1,2}})\s?{SEPARATOR}\s?(?P<iso_day>\d{{1,2}})(?!\d)
    | (?<!\d)(?P<cjk_month>\d{{1,2}})\s?月\s?(?P<cjk_day>\d{{1,2}})\s?[日号]
    | (?<![\d:])(?P<first>\d{{1,2}})\s?(?P<sign>{SEPARATOR})\s?(?P<second>\d{{1,2}})(?![\d:])
      (?:(?P=sign)(?P<year>\d{{4}}|\d\d)(?!\d|\s?{SEPARATOR}\s?\d))?
    | (?<!\d)(?P<day_before>\d{{1,2}}){ORDINAL}\s?{DASH}?(?P<month_after>{MONTH})\b\.?(?:,?\s?{DASH}?(?P<year_after>\d{{4}})\b)?
    | \b(?P<month_before>{MONTH})\.?\s?(?P<day_after>\d{{1,2}}){ORDINAL}\b(?:,?\s(?P<year_last>\d{{4}})\b)?
    | \b(?P<weekday>{WEEKDAY})\b\.?
    """,
    re.IGNORECASE | re.VERBOSE,
)
RANGE = re.compile(rf"^[\s()]*(?:{DASH}|~|to|until|till|through)[\s()]*$", re.IGNORECASE)
BETWEEN = re.compile(r"^(?:[\s,;、，/&+()（）|·]|and\b)*$", re.IGNORECASE)
OPEN = re.compile(
    r"^(?:tb[acd]|to be (?:decided|announced|confirmed|determined)|n/?a|待定|\?+)\.?$",
    re.IGNORECASE,
)


MOST_DATES_A_WEEK = 7


class Order(StrEnum):
    """Which number of `02/04` is the month."""

    MONTH_FIRST = "month-first"
    DAY_FIRST = "day-first"


@dataclass(frozen=True, slots=True)
class Token:
    """A date as written. `month` and `day` are None while `first` and `second` are ambiguous."""

    text: str
    column: int
    year: int | None
    month: int | None
    day: int | None
    first: int | None = None
    second: int | None = None
    weekday: int | None = None  # 0 is Monday


@dataclass(frozen=True, slots=True)
class Scan:
    """What a cell holds: its dates, whether a range sign stands between them, and the rest."""

    tokens: tuple[Token, ...]
    is_range: bool
    leftover: str


def is_open(text: str) -> bool:
    """Whether the cell says that the date is not decided yet."""
    return OPEN.match(text.strip(" *_[]().")) is not None


def scan_dates(text: str, column: int) -> Scan:
    """Find all dates of a cell, and whatever is neither a date nor a separator."""
    tokens: list[Token] = []
    leftover: list[str] = []
    is_range = False
    pending_weekday: int | None = None
    after_weekday = False
    position = 0
    for match in DATE.finditer(text):
        between = text[position : match.start()]
        if after_weekday or not tokens:
            between = between.strip(DASHES + " ")  # Tue-02/04
        position = match.end()
        after_weekday = bool(match["weekday"])
        if tokens and RANGE.match(between):
            is_range = True
        elif not BETWEEN.match(between):
            leftover.append(between.strip())
        if match["weekday"]:
            weekday = WEEKDAYS[match["weekday"].lower()]
            if tokens and tokens[-1].weekday is None and "(" in between:
                tokens[-1] = with_weekday(tokens[-1], weekday)  # 02/04 (Tue)
            else:
                pending_weekday = weekday
            continue
        tokens.append(with_weekday(make_token(match, column), pending_weekday))
        pending_weekday = None
    rest = text[position:]
    if not BETWEEN.match(rest):
        leftover.append(rest.strip())
    if pending_weekday is not None and tokens and tokens[-1].weekday is None:
        tokens[-1] = with_weekday(tokens[-1], pending_weekday)  # 02/04 Tue
    return Scan(tuple(tokens), is_range, " ".join(leftover).strip(" ,;"))


def make_token(match: re.Match[str], column: int) -> Token:
    """The token of one match of DATE."""
    at, text = column + match.start(), match.group().strip()

    def number(*names: str) -> int | None:
        value = next((match[name] for name in names if match[name]), None)
        return None if value is None else int(value)

    if match["first"]:
        year = number("year")
        if year is not None and year < 100:
            year += 2000
        return Token(text, at, year, None, None, number("first"), number("second"))
    named = match["month_after"] or match["month_before"]
    return Token(
        text,
        at,
        number("iso_year", "year_after", "year_last"),
        MONTHS[named.lower()] if named else number("iso_month", "cjk_month"),
        number("iso_day", "cjk_day", "day_before", "day_after"),
    )


def with_weekday(token: Token, weekday: int | None) -> Token:
    return Token(
        token.text,
        token.column,
        token.year,
        token.month,
        token.day,
        token.first,
        token.second,
        weekday,
    )


def month_and_day(token: Token, order: Order) -> tuple[int, int]:
    """The token's month and day, as the page's order has them."""
    if token.first is not None and token.second is not None:
        pair = (token.first, token.second)
        return pair if order is Order.MONTH_FIRST else (pair[1], pair[0])
    return token.month or 0, token.day or 0


def why_impossible(year: int, month: int, day: int) -> tuple[str, date] | None:
    """A sentence about a date that does not exist, and the nearest that does; None if it does."""
    if 1 <= month <= 12:
        last = calendar.monthrange(year, month)[1]
        name = calendar.month_name[month]
        if month == 2 and day > last:
            name = f"{name} {year}"
        if day > last:
            return f"{name} has {last} days", date(year, month, last)
        if day < 1:
            return "days count from 1", date(year, month, 1)
        return None
    if 1 <= day <= 12 and 1 <= month <= calendar.monthrange(year, day)[1]:
        return f"there is no month {month}", date(year, day, month)
    last = calendar.monthrange(year, 12)[1]
    nearest = date(year, 12 if month > 12 else 1, min(max(day, 1), last))
    return f"there is no month {month}", nearest


def read_chosen_date(value: str) -> date:
    """A date given on the command line; ValueError with a sentence for anything else."""
    match = re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", value.strip())
    if match is None:
        raise ValueError("write a date as 2025-04-30")
    year, month, day = (int(group) for group in match.groups())
    if not 1900 <= year <= 2200:
        raise ValueError(f"{year} is not a year of a course")
    if (impossible := why_impossible(year, month, day)) is not None:
        raise ValueError(impossible[0])
    return date(year, month, day)


def read_chosen_dates(value: str) -> tuple[date, ...]:
    """Dates given on the command line, separated by commas."""
    days = tuple(read_chosen_date(piece) for piece in value.split(","))
    if len(days) > MOST_DATES_A_WEEK:
        raise ValueError(f"a week has at most {MOST_DATES_A_WEEK} days")
    return days


def make_date(
    token: Token,
    *,
    line: int,
    field: str,
    order: Order,
    years: tuple[int, ...],
    year: int,
    findings: Findings,
    propose: Callable[[date], date] | None = None,
) -> date | None:
    """The token's date in one of the course's `years`, or None after a problem.

    `year` is meant where the token names none; `propose` turns the nearest date that exists into
    the one to suggest (a meeting that falls on the course's weekdays, say).
    """
    month, day = month_and_day(token, order)
    meant_year = token.year if token.year is not None else year

    def ask(message: str, proposal: date) -> date | None:
        return findings.decide(
            Problem(
                line,
                field,
                token.text,
                message,
                proposal=proposal.isoformat(),
                column=token.column,
            ),
            read_chosen_date,
        )

    if meant_year not in years:
        nearest_year = min(years, key=lambda candidate: abs(candidate - meant_year))
        impossible = why_impossible(nearest_year, month, day)
        nearest = impossible[1] if impossible else date(nearest_year, month, day)
        course = " or ".join(str(candidate) for candidate in years)
        return ask(f"the course is in {course}, not in {meant_year}", nearest)
    if (impossible := why_impossible(meant_year, month, day)) is not None:
        return ask(impossible[0], propose(impossible[1]) if propose else impossible[1])
    found = date(meant_year, month, day)
    if token.weekday is not None and found.weekday() != token.weekday:
        wrong = calendar.day_name[token.weekday]
        shift = (token.weekday - found.weekday() + 3) % 7 - 3
        proposal = propose(found) if propose else date.fromordinal(found.toordinal() + shift)
        return ask(f"{found} is a {calendar.day_name[found.weekday()]}, not a {wrong}", proposal)
    return found
