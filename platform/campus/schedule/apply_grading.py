"""People, grading and homeworks of a page → rows, keeping the rows that are already there."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from django.db.models import ProtectedError

from campus.assignments.models import Assignment, GradingComponent
from campus.courses.models import Course, TeachingTeamMember
from campus.schedule.diff import Diff
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.shapes import PageHomework, PagePerson, PageWeight

KEEP = "keep"  # chosen for a homework that the page lost
END_OF_DAY = time(23, 59, 59)  # what is due on a day may be handed in until it is over


def apply_people(course: Course, people: Sequence[PagePerson], diff: Diff) -> None:
    """Make the teaching team the one that the page names."""
    present = {
        (row.part, row.name): row for row in TeachingTeamMember.objects.filter(course=course)
    }
    for position, person in enumerate(people):
        row = present.pop((person.part.value, person.name), None)
        if row is None:
            TeachingTeamMember.objects.create(
                course=course, name=person.name, part=person.part.value, position=position
            )
            diff.added(person.part.value, person.name)
        else:
            diff.update(row, f"{person.part} {person.name}", {"position": position})
    for row in present.values():
        diff.removed(row.part, row.name)
        row.delete()


def apply_weights(
    course: Course, weights: Sequence[PageWeight], diff: Diff
) -> list[GradingComponent]:
    """Make the grading the page's. A renamed line is known by its kind and place."""
    present = list(GradingComponent.objects.filter(course=course).order_by("position"))
    by_title = {row.title.casefold(): row for row in present}
    pairs = {
        index: by_title[weight.title.casefold()]
        for index, weight in enumerate(weights)
        if weight.title.casefold() in by_title
    }
    free = [row for row in present if row not in pairs.values()]
    for index, weight in enumerate(weights):
        renamed = next((row for row in free if row.kind == weight.kind.value), None)
        if index not in pairs and renamed is not None:
            pairs[index] = renamed
            free.remove(renamed)
    for row in free:
        diff.removed(f"grading “{row.title}”", row.weight_percent)
        row.delete()
    components = []
    for position, weight in enumerate(weights):
        values = {
            "kind": weight.kind.value,
            "title": weight.title,
            "count": weight.count,
            "weight_percent": weight.percent,
            "position": position,
        }
        existing = pairs.get(position)
        if existing is None:
            existing = GradingComponent.objects.create(course=course, **values)
            diff.added(f"grading “{weight.title}”", f"{diff.written(weight.percent)} %")
        else:
            diff.update(existing, f"grading “{existing.title}”", values)
        components.append(existing)
    return components


def apply_homeworks(
    course: Course,
    homeworks: Sequence[PageHomework],
    components: Sequence[GradingComponent],
    diff: Diff,
    findings: Findings,
) -> None:
    """Make the homeworks the page's. What somebody has handed in for is never deleted."""
    component = next(
        (row for row in components if row.kind == GradingComponent.Kind.HOMEWORK), None
    )
    present = {
        row.page_key: row for row in Assignment.objects.filter(course=course) if row.page_key
    }
    by_slug = {row.slug: row for row in Assignment.objects.filter(course=course)}
    for position, homework in enumerate(homeworks, 1):
        row = present.pop(homework.key, None) or by_slug.get(homework.key)
        values: dict[str, object] = {
            "page_key": homework.key,
            "release_at": start_of_day(homework.release, course.zone),
            "due_at": end_of_day(homework.due, homework.due_time, course.zone),
            "page_marked_released": homework.released,
            "component": component,
        }
        if row is None:
            create_homework(course, homework, position, values, diff)
        elif fits_cut_off(row, homework, values, findings):
            if not row.lab:  # a lab has its own name and place, given by who made it
                values |= {"title": homework.title, "position": position}
            diff.update(row, homework.key, values)
    for row in present.values():
        remove_homework(row, diff, findings)


def create_homework(
    course: Course, homework: PageHomework, position: int, values: dict[str, object], diff: Diff
) -> None:
    Assignment.objects.create(
        course=course,
        slug=homework.key,
        title=homework.title,
        kind=Assignment.Kind.HOMEWORK,
        position=position,
        **values,
    )
    days = [
        f"{name} {day}"
        for name, day in (("released", homework.release), ("due", homework.due))
        if day
    ]
    diff.added(homework.key, ", ".join(days) or "dates not decided yet")


def fits_cut_off(
    row: Assignment, homework: PageHomework, values: dict[str, object], findings: Findings
) -> bool:
    """Whether the due date stays before the cut-off that staff have set by hand."""
    due = values["due_at"]
    if not isinstance(due, datetime) or row.cut_off_at is None or row.cut_off_at >= due:
        return True
    findings.report(
        Problem(
            homework.line,
            f"{homework.key}.due",
            str(homework.due),
            f"{homework.key} has its cut-off on {row.cut_off_at:%Y-%m-%d %H:%M} UTC, before this",
            remedy="move or clear its cut-off first",
        )
    )
    return False


def remove_homework(row: Assignment, diff: Diff, findings: Findings) -> None:
    """Delete a homework that the page no longer has, unless it is a lab or work would be lost."""
    reason = "it is a lab of this course"
    if not row.lab:
        try:
            diff.removed(row.page_key, row.title)
            row.delete()
        except ProtectedError:
            diff.changes.pop()
            reason = "students have handed in for it"
        else:
            return
    kept = findings.decide(
        Problem(
            1,
            row.page_key,
            row.page_key,
            f"gone from the page, but {reason}",
            remedy=f"put its row back, or choose {row.page_key}={KEEP} to keep it without the page",
        ),
        read_keep,
    )
    if kept:
        diff.update(row, row.slug, {"page_key": ""})


def read_keep(value: str) -> bool:
    if value != KEEP:
        raise ValueError(f"the only choice here is {KEEP}")
    return True


def start_of_day(day: date | None, zone: ZoneInfo) -> datetime | None:
    """The first moment of a day, also where clocks skip midnight."""
    return None if day is None else datetime.combine(day, time(0), zone).astimezone(UTC)


def end_of_day(day: date | None, at: time | None, zone: ZoneInfo) -> datetime | None:
    """The time given, or the last second of the day; of a clock's repeated hour the later one."""
    if day is None:
        return None
    moment = datetime.combine(day, at or END_OF_DAY, zone).replace(fold=1)
    return moment.astimezone(UTC)
