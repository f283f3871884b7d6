"""On which days each week meets, if the page can be believed.

Every date has to exist here; whether it can stand where it stands is told by `week_order`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from campus.schedule.page.dates import (
    MOST_DATES_A_WEEK,
    Token,
    make_date,
    month_and_day,
    read_chosen_dates,
    why_impossible,
)
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.term import Pattern, Term, better_year, weekday_pattern
from campus.schedule.page.week_order import (
    Anchors,
    Slot,
    WeekPlace,
    check_sequence,
    expected_day,
    slots_of,
)

DAY_ALONE = re.compile(r"[\s,&]*(?:and\s)?\s*(\d{1,2})(?:st|nd|rd|th)?", re.IGNORECASE)


def settle_dates(
    places: Sequence[WeekPlace], term: Term, findings: Findings
) -> tuple[tuple[date, ...], ...]:
    """The dates of each week. Where problems were reported, what could be read of them."""
    plausible = [
        [plain_date(token, term, index) for token in place.raw.scan.tokens]
        for index, place in enumerate(places)
    ]
    slots = tuple(slots_of(plausible))
    if not is_plausible_year([slot.day for slot in slots], term, places, findings):
        return tuple(() for _ in places)
    hints = Hints(slots, Anchors.of(slots, places), weekday_pattern([slot.day for slot in slots]))
    drafts = [
        existing_dates(place, index, term, hints, findings) for index, place in enumerate(places)
    ]
    return check_sequence(places, drafts, hints.pattern, findings)


@dataclass(frozen=True, slots=True)
class Hints:
    """What the dates that can be read tell about one that cannot."""

    slots: tuple[Slot, ...]
    anchors: Anchors
    pattern: Pattern

    def proposal(self, week: int, position: int, nearest: date) -> date:
        """The day that fits into the course, else the nearest one that exists."""
        slot = Slot(week, position, nearest)
        return expected_day(slot, self.slots, self.anchors, self.pattern) or nearest

    def days_of(self, week: int) -> list[date]:
        """All days on which the course would meet in a week."""
        monday = self.anchors.monday(week)
        if monday is None:
            return []
        return [monday + timedelta(days=weekday) for weekday in sorted(self.pattern.weekdays)]


def plain_date(token: Token, term: Term, index: int) -> date | None:
    """The token's date if there is nothing wrong with it, without reporting anything."""
    month, day = month_and_day(token, term.order)
    year = term.year_of_week(index) if token.year is None else token.year
    if year not in term.years or why_impossible(year, month, day) is not None:
        return None
    return date(year, month, day)


def is_plausible_year(
    days: Sequence[date], term: Term, places: Sequence[WeekPlace], findings: Findings
) -> bool:
    """Whether the course would meet on sensible weekdays in this year."""
    year = term.years[0]
    better = better_year(days, year)
    if better is None:
        return True

    def parse(value: str) -> bool:
        if value != str(year):
            raise ValueError(f"choose {year} to keep it, or import with --year {value}")
        return True

    weekdays = ", ".join(sorted({day.strftime("%A") for day in days}))
    answer = findings.decide(
        Problem(
            places[0].raw.line if places else 1,
            "year",
            f"--year {year}",
            f"in {year} these dates would fall on {weekdays}",
            remedy=f"import with --year {better}, or choose year={year} if they are right",
        ),
        parse,
    )
    return answer is not None


def existing_dates(
    place: WeekPlace, index: int, term: Term, hints: Hints, findings: Findings
) -> list[date | None]:
    """The row's dates; None for one that does not exist and was reported."""
    raw = place.raw
    if (problem := unreadable(place, index, term, hints)) is not None:
        chosen = findings.decide(problem, read_chosen_dates) if raw.whole else None
        return list(chosen or ())
    return [
        make_date(
            token,
            line=raw.line,
            field=f"{place.field}.date{position + 1}",
            order=term.order,
            years=term.years,
            year=term.year_of_week(index),
            findings=findings,
            propose=partial(hints.proposal, index, position),
        )
        for position, token in enumerate(raw.scan.tokens)
    ]


def unreadable(place: WeekPlace, index: int, term: Term, hints: Hints) -> Problem | None:
    """The problem of a date cell as a whole: none in it, a range, or something else in it."""
    scan = place.raw.scan
    days = [day for token in scan.tokens if (day := plain_date(token, term, index)) is not None]
    if place.raw.undecided:
        message, days = "the dates are not decided yet", hints.days_of(index)
    elif not scan.tokens:
        message = "this is not a date" if scan.leftover else "no date stands here"
        days = hints.days_of(index)
    elif scan.is_range:
        message = "a range does not say on which days the course meets"
        days = days_within(days, hints.pattern)
    elif scan.leftover:
        message = f"“{scan.leftover}” is not a date"
        days += day_alone(scan.leftover, days)
    elif len(scan.tokens) > MOST_DATES_A_WEEK:
        message = f"a week has at most {MOST_DATES_A_WEEK} days"
    else:
        return None
    return Problem(
        place.raw.line,
        f"{place.field}.dates",
        place.raw.date_cell.text,
        message,
        proposal=",".join(day.isoformat() for day in days[:MOST_DATES_A_WEEK]),
        remedy="write the days as 02/04,02/06",
        column=place.raw.date_cell.column,
    )


def day_alone(leftover: str, days: Sequence[date]) -> list[date]:
    """The 6 of `03/04, 06` as a date of the month before it."""
    match = DAY_ALONE.fullmatch(leftover)
    if match is None or not days:
        return []
    year, month, day = days[-1].year, days[-1].month, int(match.group(1))
    return [] if why_impossible(year, month, day) else [date(year, month, day)]


def days_within(ends: Sequence[date], pattern: Pattern) -> list[date]:
    """The course's days from the first to the last of these."""
    if len(ends) != 2 or not 0 <= (ends[1] - ends[0]).days <= 14:
        return list(ends)
    days = [ends[0] + timedelta(days=shift) for shift in range((ends[1] - ends[0]).days + 1)]
    return [day for day in days if day.weekday() in pattern.weekdays] or list(ends)
