"""On which days each week meets, if the page can be believed.

Every date has to exist here; whether it can stand where it stands is told by `week_order`.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from campus.schedule.page.dates import (
    Token,
    make_date,
    month_and_day,
    read_chosen_date,
    why_impossible,
)
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.term import Pattern, Term, better_year, weekday_pattern
from campus.schedule.page.week_order import WeekPlace, check_sequence

MOST_DATES_A_WEEK = 7


def settle_dates(
    places: Sequence[WeekPlace], term: Term, findings: Findings
) -> tuple[tuple[date, ...], ...]:
    """The dates of each week. Where problems were reported, what could be read of them."""
    plausible = [
        day
        for index, place in enumerate(places)
        for token in place.raw.scan.tokens
        if (day := plain_date(token, term, index)) is not None
    ]
    if not is_plausible_year(plausible, term, places, findings):
        return tuple(() for _ in places)
    pattern = weekday_pattern(plausible)
    drafts = [
        existing_dates(place, index, term, pattern, frozenset(plausible), findings)
        for index, place in enumerate(places)
    ]
    return check_sequence(places, drafts, pattern, findings)


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
    place: WeekPlace,
    index: int,
    term: Term,
    pattern: Pattern,
    taken: frozenset[date],
    findings: Findings,
) -> list[date | None]:
    """The row's dates; None for one that does not exist and was reported."""
    raw = place.raw
    if (problem := unreadable(place, index, term, pattern)) is not None:
        chosen = findings.decide(problem, read_chosen_dates)
        return list(chosen or ())
    return [
        make_date(
            token,
            line=raw.line,
            field=f"{place.field}.date{position}",
            order=term.order,
            years=term.years,
            year=term.year_of_week(index),
            findings=findings,
            propose=lambda nearest: pattern.nearest(nearest, taken),
        )
        for position, token in enumerate(raw.scan.tokens, 1)
    ]


def unreadable(place: WeekPlace, index: int, term: Term, pattern: Pattern) -> Problem | None:
    """The problem of a date cell as a whole: none in it, a range, or something else in it."""
    raw, scan = place.raw, place.raw.scan
    found = [day for token in scan.tokens if (day := plain_date(token, term, index)) is not None]
    proposal = ",".join(day.isoformat() for day in found)
    remedy = "write the days as 02/04,02/06"
    if raw.undecided or not scan.tokens:
        message = (
            "no date stands here" if scan.tokens or not scan.leftover else "this is not a date"
        )
        if raw.undecided:
            message = "the dates are not decided yet"
        proposal = ""
    elif scan.is_range:
        message = "a range does not say on which days the course meets"
        proposal = ",".join(day.isoformat() for day in days_within(found, pattern))
    elif scan.leftover:
        message = f"“{scan.leftover}” is not a date"
    elif len(scan.tokens) > MOST_DATES_A_WEEK:
        message = f"a week has at most {MOST_DATES_A_WEEK} days"
    else:
        return None
    return Problem(
        raw.line,
        f"{place.field}.dates",
        raw.date_cell.text,
        message,
        proposal=proposal,
        remedy=remedy,
        column=raw.date_cell.column,
    )


def days_within(ends: Sequence[date], pattern: Pattern) -> list[date]:
    """The course's days from the first to the last of these."""
    if len(ends) != 2 or not 0 <= (ends[1] - ends[0]).days <= 14:
        return list(ends)
    days = [ends[0] + timedelta(days=shift) for shift in range((ends[1] - ends[0]).days + 1)]
    return [day for day in days if day.weekday() in pattern.weekdays] or list(ends)


def read_chosen_dates(value: str) -> tuple[date, ...]:
    """Dates given on the command line, separated by commas."""
    days = tuple(read_chosen_date(piece) for piece in value.split(","))
    if len(days) > MOST_DATES_A_WEEK:
        raise ValueError(f"a week has at most {MOST_DATES_A_WEEK} days")
    return days
