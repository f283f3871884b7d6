"""Whether the dates of the weeks can follow each other as they do.

A date has to come after all dates before it, stay near the other dates of its week, and fall on a
weekday on which this course meets. Which of two contradicting dates is the wrong one is told by the
longest ascending series through all of them: what is not in it, is blamed.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from campus.schedule.page.dates import read_chosen_date
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.term import Pattern
from campus.schedule.page.week_rows import RawWeek

LONGEST_GAP_DAYS = 21
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class WeekPlace:
    """A row with its settled number, and the name under which its fields are known."""

    raw: RawWeek
    number: int | None

    @property
    def field(self) -> str:
        return f"row{self.raw.row}" if self.number is None else f"week{self.number}"


@dataclass(frozen=True, slots=True)
class Slot:
    """One date of one week: (index of the week, position in it)."""

    week: int
    position: int
    day: date


def check_sequence(
    places: Sequence[WeekPlace],
    drafts: list[list[date | None]],
    pattern: Pattern,
    findings: Findings,
) -> tuple[tuple[date, ...], ...]:
    """Blame dates that do not ascend, then those too far from their week, then odd weekdays."""
    slots = [
        Slot(week, position, day)
        for week, days in enumerate(drafts)
        for position, day in enumerate(days)
        if day is not None
    ]
    good = set(longest_ascending([slot.day for slot in slots]))
    trusted = [slot for index, slot in enumerate(slots) if index in good]
    for index, slot in enumerate(slots):
        message = None
        if index not in good:
            message = why_out_of_order(slot, slots, index, places)
        elif (astray := why_astray(slot, trusted, places)) is not None:
            message = astray
        elif pattern and slot.day.weekday() not in pattern.weekdays:
            message = f"a {slot.day:%A}, while the course meets on {pattern}"
        if message is None:
            continue
        place = places[slot.week]
        proposal = expected_day(slot, trusted, places, pattern)
        token = (
            place.raw.scan.tokens[slot.position]
            if slot.position < len(place.raw.scan.tokens)
            else None
        )
        chosen = findings.decide(
            Problem(
                place.raw.line,
                f"{place.field}.date{slot.position + 1}",
                token.text if token else slot.day.isoformat(),
                message,
                proposal=proposal.isoformat() if proposal else "",
                remedy="write the day on which the course meets",
                column=token.column if token else place.raw.date_cell.column,
            ),
            read_chosen_date,
        )
        drafts[slot.week][slot.position] = chosen
    settled = tuple(tuple(day for day in days if day is not None) for days in drafts)
    check_chosen(places, settled, findings)
    return settled


def longest_ascending(days: Sequence[date]) -> list[int]:
    """Indices of a longest strictly ascending series (patience sorting, O(n log n))."""
    ends: list[date] = []
    end_indices: list[int] = []
    before: list[int | None] = []
    for index, day in enumerate(days):
        pile = bisect_left(ends, day)
        before.append(end_indices[pile - 1] if pile else None)
        if pile == len(ends):
            ends.append(day)
            end_indices.append(index)
        else:
            ends[pile], end_indices[pile] = day, index
    series: list[int] = []
    at = end_indices[-1] if end_indices else None
    while at is not None:
        series.append(at)
        at = before[at]
    return series[::-1]


def why_out_of_order(
    slot: Slot, slots: Sequence[Slot], index: int, places: Sequence[WeekPlace]
) -> str:
    for other_index, other in enumerate(slots):
        if other.day == slot.day and other_index != index:
            line = places[other.week].raw.line
            return f"{slot.day} is there twice, also on line {line}"
    earlier = [other.day for other in slots[:index]]
    if earlier and max(earlier) >= slot.day:
        return f"{slot.day} does not come after {earlier[-1]}, the date before it"
    later = [other.day for other in slots[index + 1 :]]
    return (
        f"{slot.day} does not come before {later[0]}, the date after it"
        if later
        else "out of order"
    )


def why_astray(slot: Slot, trusted: Sequence[Slot], places: Sequence[WeekPlace]) -> str | None:
    """A sentence about a date too far from the others of its week, or from the neighbouring week."""
    others = [other for other in trusted if other.week != slot.week]
    for sibling in trusted:
        apart = abs((sibling.day - slot.day).days)
        if sibling.week == slot.week and apart >= 7:
            own, theirs = distance(slot, others), distance(sibling, others)
            if own > theirs or (own == theirs and slot.day > sibling.day):
                return f"{slot.day} is {apart} days from {sibling.day} of the same week"
    before = [other for other in others if other.week < slot.week]
    after = [other for other in others if other.week > slot.week]
    neighbour = before[-1] if before else after[0] if after else None
    if neighbour is None or (before and after and neighbour.week == others[0].week):
        return None  # the first week is blamed itself for its distance to the second
    apart = abs((slot.day - neighbour.day).days)
    if apart > LONGEST_GAP_DAYS + 7 * max(0, weeks_between(slot, neighbour, places) - 1):
        direction = "after" if before else "before"
        return f"{slot.day} is {apart} days {direction} {neighbour.day}"
    return None


def distance(slot: Slot, others: Sequence[Slot]) -> int:
    """Days from the slot to the nearest of the others; 0 if there is none."""
    return min((abs((slot.day - other.day).days) for other in others), default=0)


def weeks_between(slot: Slot, other: Slot, places: Sequence[WeekPlace]) -> int:
    """How many weeks lie between two dates by their weeks' numbers."""
    number, other_number = places[slot.week].number, places[other.week].number
    return 1 if number is None or other_number is None else abs(number - other_number)


def expected_day(
    slot: Slot, trusted: Sequence[Slot], places: Sequence[WeekPlace], pattern: Pattern
) -> date | None:
    """The day that the neighbours suggest: a free weekday of the pattern in the slot's own week."""
    taken = frozenset(other.day for other in trusted)
    siblings = [other for other in trusted if other.week == slot.week and other is not slot]
    near = [other for other in siblings if abs((other.day - slot.day).days) < 7] or siblings
    if near:
        monday = near[0].day - timedelta(days=near[0].day.weekday())
    else:
        guessed = guessed_monday(slot, trusted, places)
        if guessed is None:
            return pattern.nearest(slot.day, taken) if pattern else None
        monday = guessed
    candidates = [monday + timedelta(days=weekday) for weekday in sorted(pattern.weekdays)]
    free = [day for day in candidates if day not in taken]
    if slot.position < len(candidates) and candidates[slot.position] in free:
        return candidates[slot.position]
    return free[0] if free else None


def guessed_monday(slot: Slot, trusted: Sequence[Slot], places: Sequence[WeekPlace]) -> date | None:
    """The Monday of the slot's week, counted from the nearest trusted week."""
    number = places[slot.week].number
    nearest: tuple[int, date] | None = None
    for other in trusted:
        other_number = places[other.week].number
        if other.week == slot.week or number is None or other_number is None:
            continue
        distance = abs(other_number - number)
        if nearest is None or distance < nearest[0]:
            monday = other.day - timedelta(days=other.day.weekday())
            nearest = (distance, monday + (number - other_number) * WEEK)
    return nearest[1] if nearest else None


def check_chosen(
    places: Sequence[WeekPlace], settled: Sequence[Sequence[date]], findings: Findings
) -> None:
    """A choice must not bring in a date that stands elsewhere."""
    seen: dict[date, WeekPlace] = {}
    for place, days in zip(places, settled, strict=True):
        for day in days:
            if day in seen and not any(
                problem.line in {place.raw.line, seen[day].raw.line}
                for problem in findings.problems
            ):
                findings.report(
                    Problem(
                        place.raw.line,
                        f"{place.field}.dates",
                        day.isoformat(),
                        f"this day is also in {seen[day].field}, line {seen[day].raw.line}",
                        remedy="choose another day",
                    )
                )
            seen[day] = place
