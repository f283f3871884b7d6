"""What can only be told from all dates of a page together.

`02/04` alone may be February or April; thirty such dates in weekly order may not. The same dates tell
on which weekdays the course meets, so that the one meeting that falls on a Sunday stands out, and
whether the year that was given can be the course's at all.
"""

import calendar
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from campus.schedule.page.dates import Order, Token, month_and_day, why_impossible
from campus.schedule.page.problems import Findings, Problem

FEWEST_DATES_FOR_A_PATTERN = 6
SHARE_OF_A_PATTERN = 0.8


@dataclass(frozen=True, slots=True)
class Term:
    """How the page's dates are meant: the order of day and month, and the year of each week."""

    order: Order
    years: tuple[int, ...]
    first_week_of_next_year: int | None  # index into the weeks, for a term that crosses New Year

    def year_of_week(self, index: int) -> int:
        crossed = self.first_week_of_next_year is not None and index >= self.first_week_of_next_year
        return self.years[-1] if crossed else self.years[0]

    def year_of_month(self, month: int) -> int:
        """The year that a date without one has, outside of the weeks."""
        return self.years[-1] if len(self.years) > 1 and month <= 6 else self.years[0]


def infer_term(
    weeks: Sequence[Sequence[Token]],
    others: Sequence[Token],
    year: int,
    findings: Findings,
    line: int,
) -> Term:
    """The term of a page whose syllabus has these tokens per week and these others elsewhere."""
    order = infer_order(weeks, others, findings, line)
    crossing = new_year_crossing(weeks, order)
    years = (year,) if crossing is None else (year, year + 1)
    return Term(order, years, crossing)


def infer_order(
    weeks: Sequence[Sequence[Token]], others: Sequence[Token], findings: Findings, line: int
) -> Order:
    """Month first or day first: only where a number above 12 or the sequence of weeks proves it."""
    numeric = [
        (token.first, token.second)
        for token in (*(token for week in weeks for token in week), *others)
        if token.first is not None and token.second is not None
    ]
    if not numeric:
        return Order.MONTH_FIRST
    month_first = sum(1 for first, second in numeric if first <= 12 < second <= 31)
    day_first = sum(1 for first, second in numeric if second <= 12 < first <= 31)
    if month_first != day_first and min(month_first, day_first) * 4 <= max(month_first, day_first):
        return Order.MONTH_FIRST if month_first > day_first else Order.DAY_FIRST
    weekly = {order: is_weekly(weeks, order) for order in Order}
    if weekly[Order.MONTH_FIRST] != weekly[Order.DAY_FIRST]:
        return next(order for order in Order if weekly[order])

    def parse(value: str) -> Order:
        try:
            return Order(value)
        except ValueError:
            raise ValueError(f"this can be one of {', '.join(Order)}") from None

    first, second = numeric[0]
    chosen = findings.decide(
        Problem(
            line,
            "dates.order",
            f"{first:02}/{second:02}",
            "this page does not tell whether the month or the day comes first",
            proposal=Order.MONTH_FIRST,
        ),
        parse,
    )
    return chosen or Order.MONTH_FIRST


def is_weekly(weeks: Sequence[Sequence[Token]], order: Order) -> bool:
    """Whether at least two weeks, read in this order, follow each other like weeks do."""
    starts = []
    for week in weeks:
        if week:
            month, day = month_and_day(week[0], order)
            if why_impossible(2000, month, day) is not None:
                return False
            starts.append(date(2000, month, day))
    if len(starts) < 2:
        return False
    gaps = [(later - earlier).days for earlier, later in pairwise(starts)]
    return all(3 <= gap <= 22 for gap in gaps)


def new_year_crossing(weeks: Sequence[Sequence[Token]], order: Order) -> int | None:
    """The first week of the second year, if all before are in July or later and all after are not."""
    months = [month_and_day(week[0], order)[0] if week else None for week in weeks]
    known = [(index, month) for index, month in enumerate(months) if month is not None]
    late = [index for index, month in known if month >= 7]
    early = [index for index, month in known if month <= 6]
    if late and early and max(late) < min(early):
        return min(early)
    return None


@dataclass(frozen=True, slots=True)
class Pattern:
    """The weekdays on which the course meets; empty where there is no pattern."""

    weekdays: frozenset[int]

    def __bool__(self) -> bool:
        return bool(self.weekdays)

    def __str__(self) -> str:
        return " or ".join(calendar.day_name[weekday] for weekday in sorted(self.weekdays))

    def nearest(self, day: date, taken: frozenset[date] = frozenset()) -> date:
        """The free day on the pattern that is nearest; `day` itself where there is no pattern."""
        if not self.weekdays:
            return day
        candidates = [
            day + timedelta(days=shift)
            for shift in (0, 1, -1, 2, -2, 3, -3)
            if (day + timedelta(days=shift)).weekday() in self.weekdays
        ]
        free = [candidate for candidate in candidates if candidate not in taken]
        return (free or candidates or [day])[0]


def weekday_pattern(days: Sequence[date]) -> Pattern:
    """The weekdays that most meetings share; no pattern if there are few dates or no habit."""
    if len(days) < FEWEST_DATES_FOR_A_PATTERN:
        return Pattern(frozenset())
    counts = Counter(day.weekday() for day in days)
    usual = [weekday for weekday, count in counts.items() if count * 5 >= len(days)]
    if sum(counts[weekday] for weekday in usual) < SHARE_OF_A_PATTERN * len(days):
        return Pattern(frozenset())
    return Pattern(frozenset(usual))


def better_year(days: Sequence[date], year: int) -> int | None:
    """Another year in which these days keep to weekdays, if in the given one they do not."""
    if len(days) < FEWEST_DATES_FOR_A_PATTERN or keeps_to_weekdays(days, 0):
        return None
    return next((year + shift for shift in (1, -1, 2, -2) if keeps_to_weekdays(days, shift)), None)


def keeps_to_weekdays(days: Sequence[date], shift: int) -> bool:
    """Whether the days, moved by whole years, show a habit that a course would have.

    Saturdays alone can be an evening course's; Sundays, or Saturdays next to another day, are what
    dates of another year look like.
    """
    try:
        moved = [day.replace(year=day.year + shift) for day in days]
    except ValueError:  # 29 February in a common year
        return False
    weekdays = weekday_pattern(moved).weekdays
    return bool(weekdays) and 6 not in weekdays and (5 not in weekdays or len(weekdays) == 1)
