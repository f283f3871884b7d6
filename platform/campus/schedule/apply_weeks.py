"""Weeks, meetings and resources of a page → rows, keeping the rows that are already there.

A meeting is recognised by its title, first in its own week, then anywhere in the course (it moved),
and last by its place (it was renamed). So its key, and whatever will point at it, survives an edit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from campus.courses.models import Course
from campus.schedule.diff import Diff
from campus.schedule.models import Meeting, Resource, Week
from campus.schedule.page.shapes import PageMeeting, PageResource, PageWeek

OUT_OF_THE_WAY = 10_000  # added to a position while another row still holds the one it will get


@dataclass(frozen=True, slots=True)
class Wanted:
    """A meeting of the page with its place."""

    week: int
    position: int
    meeting: PageMeeting

    @property
    def name(self) -> str:
        return f"week {self.week} “{self.meeting.title}”"


def apply_weeks(course: Course, weeks: Sequence[PageWeek], diff: Diff) -> None:
    """Make the course's weeks those of the page."""
    rows = {week.number: week for week in Week.objects.filter(course=course)}
    for page_week in weeks:
        if page_week.number not in rows:
            rows[page_week.number] = Week.objects.create(course=course, number=page_week.number)
            days = ", ".join(day.isoformat() for day in page_week.dates)
            diff.added(f"week {page_week.number}", days)
    wanted = [
        Wanted(week.number, position, meeting)
        for week in weeks
        for position, meeting in enumerate(week.meetings)
    ]
    apply_meetings(course, rows, wanted, diff)
    kept = {week.number for week in weeks}
    for number, row in rows.items():
        if number not in kept:
            diff.removed(f"week {number}")
            row.delete()


def apply_meetings(
    course: Course, weeks: dict[int, Week], wanted: Sequence[Wanted], diff: Diff
) -> None:
    present = list(
        Meeting.objects.filter(week__course=course)
        .select_related("week")
        .prefetch_related("resources")
        .order_by("week__number", "position")
    )
    pairs = match_meetings(wanted, present)
    matched = {row.pk for row in pairs.values()}
    for row in present:
        if row.pk not in matched:
            diff.removed(f"week {row.week.number} “{row.title}”")
            row.delete()
    moved = [
        row
        for index, row in pairs.items()
        if place_of(row) != (wanted[index].week, wanted[index].position)
    ]
    for row in moved:
        Meeting.objects.filter(pk=row.pk).update(position=OUT_OF_THE_WAY + row.pk % 20_000)
    for index, want in enumerate(wanted):
        existing = pairs.get(index)
        if existing is None:
            created = create_meeting(weeks[want.week], want, diff)
            apply_resources(created, [], want, diff)
        else:
            update_meeting(existing, weeks[want.week], want, diff)
            apply_resources(existing, list(existing.resources.all()), want, diff)


def place_of(row: Meeting) -> tuple[int, int]:
    return row.week.number, row.position


def match_meetings(wanted: Sequence[Wanted], present: Iterable[Meeting]) -> dict[int, Meeting]:
    """Index into `wanted` → the row that is it."""
    pairs: dict[int, Meeting] = {}
    free = list(present)

    def take(matches: dict[int, Meeting]) -> None:
        for index, row in matches.items():
            pairs[index] = row
            free.remove(row)

    for pass_number in range(3):
        keys: dict[object, list[Meeting]] = {}
        for row in free:
            keys.setdefault(
                matching_key(pass_number, row.week.number, row.position, row.title), []
            ).append(row)
        matches: dict[int, Meeting] = {}
        for index, want in enumerate(wanted):
            if index in pairs:
                continue
            key = matching_key(pass_number, want.week, want.position, want.meeting.title)
            candidates = keys.get(key)
            # Two meetings of one title in different weeks say nothing about which one moved.
            if candidates and (pass_number != 1 or len(candidates) == 1):
                matches[index] = candidates.pop(0)
        take(matches)
    return pairs


def matching_key(pass_number: int, week: int, position: int, title: str) -> object:
    name = title.casefold()
    return ((week, name), name, (week, position))[pass_number]


def create_meeting(week: Week, want: Wanted, diff: Diff) -> Meeting:
    meeting = want.meeting
    when = " to ".join(day.isoformat() for day in (meeting.date, meeting.last_date) if day)
    diff.added(want.name, f"{meeting.kind}, {when}" if when else str(meeting.kind))
    return Meeting.objects.create(
        week=week,
        position=want.position,
        title=meeting.title,
        kind=meeting.kind.value,
        date=meeting.date,
        last_date=meeting.last_date,
    )


def update_meeting(row: Meeting, week: Week, want: Wanted, diff: Diff) -> None:
    meeting = want.meeting
    name = f"week {row.week.number} “{row.title}”"
    if row.week_id != week.pk:
        row.position = want.position  # the move is one change, not two
        diff.update(row, name, {"week": week})
    elif row.position != want.position:
        diff.update(row, name, {"position": want.position})
    diff.update(
        row,
        name,
        {
            "title": meeting.title,
            "kind": meeting.kind.value,
            "date": meeting.date,
            "last_date": meeting.last_date,
        },
    )


def apply_resources(row: Meeting, present: list[Resource], want: Wanted, diff: Diff) -> None:
    """Make a meeting's resources the page's. One that the page only announces keeps its address."""
    labels: dict[str, list[Resource]] = {}
    for resource in present:
        labels.setdefault(resource.label.casefold(), []).append(resource)
    pairs: list[tuple[PageResource, Resource | None]] = []
    for resource_wanted in want.meeting.resources:
        same = labels.get(resource_wanted.label.casefold())
        pairs.append((resource_wanted, same.pop(0) if same else None))
    kept = {found.pk for _, found in pairs if found is not None}
    for resource in present:
        if resource.pk not in kept:
            diff.removed(f"{want.name} [{resource.label}]", resource.url)
            resource.delete()
    for position, (_, found) in enumerate(pairs):
        if found is not None and found.position != position:
            Resource.objects.filter(pk=found.pk).update(position=OUT_OF_THE_WAY + found.pk % 20_000)
    for position, (wanted, found) in enumerate(pairs):
        if found is None:
            Resource.objects.create(
                meeting=row, position=position, label=wanted.label, url=wanted.url
            )
            diff.added(f"{want.name} [{wanted.label}]", wanted.url)
            continue
        values: dict[str, object] = {"label": wanted.label, "position": position}
        if wanted.url:
            values["url"] = wanted.url
        diff.update(found, f"{want.name} [{found.label}]", values)
