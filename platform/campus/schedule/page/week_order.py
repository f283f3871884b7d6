"""Whether the dates of the weeks can follow each other as they do.

A date has to come after all dates before it, stay near the other dates of its week, and fall on a
weekday on which this course meets. Which of two contradicting dates is the wrong one is told by the
longest ascending series through all of them: what is not in it, is blamed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from campus.schedule.page.dates import read_chosen_date, read_chosen_dates
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.term import Pattern
from campus.schedule.page.week_rows import RawWeek

LONGEST_GAP_DAYS = 21
LONGEST_CHOSEN_GAP_DAYS = 120
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
    """One date of one week: the index of the week, and the position in it."""

    week: int
    position: int
    day: date


def slots_of(drafts: Sequence[Sequence[date | None]]) -> list[Slot]:
    return [
        Slot(week, position, day)
        for week, days in enumerate(drafts)
        for position, day in enumerate(days)
        if day is not None
    ]


def check_sequence(
    places: Sequence[WeekPlace],
    drafts: list[list[date | None]],
    pattern: Pattern,
    findings: Findings,
) -> tuple[tuple[date, ...], ...]:
    """Blame dates that do not ascend, then those too far from their week, then odd weekdays."""
    drafts = [in_order(place, days, findings) for place, days in zip(places, drafts, strict=True)]
    slots = slots_of(drafts)
    anchors = Anchors.of(slots, places)
    good = longest_ascending(slots, anchors)
    trusted = [slot for index, slot in enumerate(slots) if index in good]
    for slot in slots:
        if slot not in trusted:
            message: str | None = why_out_of_order(slot, slots, trusted, places)
        elif f"{places[slot.week].field}.date{slot.position + 1}" in findings.answered:
            message = None  # somebody chose this day, though it be unusual
        else:
            message = why_astray(slot, trusted, places)
            if message is None and pattern and slot.day.weekday() not in pattern.weekdays:
                message = f"a {slot.day:%A}, while the course meets on {pattern}"
        if message is None:
            continue
        place = places[slot.week]
        proposal = expected_day(slot, trusted, anchors, pattern)
        tokens = place.raw.scan.tokens
        token = tokens[slot.position] if slot.position < len(tokens) else None
        drafts[slot.week][slot.position] = findings.decide(
            Problem(
                place.raw.line,
                f"{place.field}.date{slot.position + 1}",
                token.text if token else slot.day.isoformat(),
                message,
                proposal=proposal.isoformat() if proposal and proposal != slot.day else "",
                remedy="write the day on which the course meets",
                column=token.column if token else place.raw.date_cell.column,
            ),
            read_chosen_date,
        )
    settled = tuple(tuple(day for day in days if day is not None) for days in drafts)
    check_chosen(places, settled, findings)
    return settled


def in_order(place: WeekPlace, days: list[date | None], findings: Findings) -> list[date | None]:
    """The week's dates; `03/06,03/04` is asked about as a whole."""
    known = [day for day in days if day is not None]
    if known == sorted(known) or len(known) != len(days) or len(set(known)) != len(known):
        return days
    if (max(known) - min(known)).days >= 7:
        return days  # not a matter of order; one of them is wrong
    chosen = findings.decide(
        Problem(
            place.raw.line,
            f"{place.field}.dates",
            place.raw.date_cell.text,
            "the dates are not in order",
            proposal=",".join(day.isoformat() for day in sorted(known)),
            column=place.raw.date_cell.column,
        ),
        read_chosen_dates,
    )
    return list(chosen or sorted(known))


def longest_ascending(slots: Sequence[Slot], anchors: "Anchors") -> set[int]:
    """Indices of a longest strictly ascending series; of several, one in which most weeks fit.

    Quadratic in the number of dates, of which a course has at most a few hundred.
    """
    best: list[tuple[int, int]] = []  # (length, dates that fit) of the best series that ends here
    before: list[int | None] = []
    for index, slot in enumerate(slots):
        own, chosen = (0, 0), None
        for earlier in range(index):
            if slots[earlier].day < slot.day and best[earlier] > own:
                own, chosen = best[earlier], earlier
        best.append((own[0] + 1, own[1] + anchors.fits(slot)))
        before.append(chosen)
    at = best.index(max(best)) if best else None
    series: set[int] = set()
    while at is not None:
        series.add(at)
        at = before[at]
    return series


@dataclass(frozen=True, slots=True)
class Anchors:
    """On which Monday each week begins, as far as several weeks agree about it."""

    numbers: tuple[int | None, ...]
    offsets: frozenset[int]
    mondays: tuple[tuple[int, date], ...]  # (number, Monday) of the weeks that agree

    @classmethod
    def of(cls, slots: Sequence[Slot], places: Sequence[WeekPlace]) -> "Anchors":
        numbers = tuple(place.number for place in places)
        weeks: dict[int, set[int]] = {}
        for slot in slots:
            offset = offset_of(slot, numbers)
            if offset is not None:
                weeks.setdefault(offset, set()).add(slot.week)
        offsets = frozenset(offset for offset, agreeing in weeks.items() if len(agreeing) >= 2)
        mondays = [
            (numbers[slot.week] or 0, monday_of(slot.day))
            for slot in slots
            if offset_of(slot, numbers) in offsets
        ]
        return cls(numbers, offsets, tuple(mondays))

    def fits(self, slot: Slot) -> bool:
        return offset_of(slot, self.numbers) in self.offsets

    def monday(self, week: int) -> date | None:
        """The Monday of a week, counted from the nearest week that agrees with another."""
        number = self.numbers[week]
        if number is None or not self.mondays:
            return None
        nearest, monday = min(self.mondays, key=lambda anchor: abs(anchor[0] - number))
        return monday + (number - nearest) * WEEK


def offset_of(slot: Slot, numbers: Sequence[int | None]) -> int | None:
    """The same for all weeks of a course that meets every week."""
    number = numbers[slot.week]
    return None if number is None else monday_of(slot.day).toordinal() - 7 * number


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def why_out_of_order(
    slot: Slot, slots: Sequence[Slot], trusted: Sequence[Slot], places: Sequence[WeekPlace]
) -> str:
    """A sentence about a date that is not in the ascending series."""
    twin = next((other for other in slots if other.day == slot.day and other != slot), None)
    if twin is not None and twin.week == slot.week:
        return f"{slot.day} is there twice"
    if twin is not None:
        return f"{slot.day} is there twice, also on line {places[twin.week].raw.line}"
    place = (slot.week, slot.position)
    earlier = [other.day for other in trusted if (other.week, other.position) < place]
    if earlier and earlier[-1] >= slot.day:
        return f"{slot.day} does not come after {earlier[-1]}, the date before it"
    later = [other.day for other in trusted if (other.week, other.position) > place]
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
    slot: Slot, trusted: Sequence[Slot], anchors: Anchors, pattern: Pattern
) -> date | None:
    """The day that the other weeks suggest: a free weekday of the pattern in the slot's own week."""
    taken = frozenset(other.day for other in trusted if other != slot)
    monday = anchors.monday(slot.week)
    sibling = next(
        (
            other
            for other in trusted
            if other.week == slot.week and other != slot and anchors.fits(other)
        ),
        None,
    )
    if sibling is not None:
        monday = monday_of(sibling.day)
    if monday is None or not pattern:
        return pattern.nearest(slot.day, taken) if pattern else None
    candidates = [monday + timedelta(days=weekday) for weekday in sorted(pattern.weekdays)]
    free = [day for day in candidates if day not in taken]
    if slot.position < len(candidates) and candidates[slot.position] in free:
        return candidates[slot.position]
    return free[0] if free else None


def check_chosen(
    places: Sequence[WeekPlace], settled: Sequence[Sequence[date]], findings: Findings
) -> None:
    """What was chosen has to fit between its neighbours, too."""
    known = {problem.line for problem in findings.problems}
    slots = [slot for slot in slots_of(settled) if places[slot.week].raw.line not in known]
    blamed: set[Slot] = set()
    for earlier, later in pairwise(slots):
        if 0 < (later.day - earlier.day).days <= LONGEST_CHOSEN_GAP_DAYS:
            continue
        culprit = earlier if is_chosen(earlier, places, findings) else later
        if culprit in blamed:
            continue
        blamed.add(culprit)
        place, other = places[culprit.week], later if culprit is earlier else earlier
        findings.report(
            Problem(
                place.raw.line,
                f"{place.field}.dates",
                culprit.day.isoformat(),
                f"this day cannot stand next to {other.day}, {places[other.week].field}",
                remedy="choose another day",
            )
        )


def is_chosen(slot: Slot, places: Sequence[WeekPlace], findings: Findings) -> bool:
    """Whether somebody chose this date, or all dates of its week."""
    field = places[slot.week].field
    return f"{field}.date{slot.position + 1}" in findings.answered or (
        f"{field}.dates" in findings.answered
    )
