"""The weeks of a course as its pages show them: what is past, what is on, which lab belongs where."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.urls import reverse
from django.utils.text import slugify

from campus.assignments.models import Assignment
from campus.courses.models import Course
from campus.schedule.models import Meeting, Week
from labs.catalog import Lab, LabError, get_lab

KIND_WORDS = {
    Meeting.Kind.BREAK: "Break",
    Meeting.Kind.EXAM: "Exam",
    Meeting.Kind.REVIEW: "Review",
    Meeting.Kind.GUEST: "Guest",
}


class Phase(StrEnum):
    """Where a day stands in the course."""

    UNSCHEDULED = "unscheduled"
    BEFORE = "before"
    RUNNING = "running"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Term:
    """From the first to the last meeting of a course, seen on one day."""

    today: date
    first: date | None
    last: date | None

    @property
    def phase(self) -> Phase:
        if self.first is None or self.last is None:
            return Phase.UNSCHEDULED
        if self.today < self.first:
            return Phase.BEFORE
        return Phase.AFTER if self.today > self.last else Phase.RUNNING


@dataclass(frozen=True, slots=True)
class LabLink:
    """A lab next to its topic; without an address as long as it is not released."""

    title: str
    url: str
    opens_at: datetime | None


@dataclass(frozen=True, slots=True)
class ShownResource:
    label: str
    url: str  # empty: announced, not there yet


@dataclass(frozen=True, slots=True)
class ShownMeeting:
    title: str
    kind: str
    kind_word: str  # empty for an ordinary lecture
    first: date | None
    last: date | None  # only when it covers more than one day
    resources: tuple[ShownResource, ...]
    labs: tuple[LabLink, ...]
    topic_slug: str  # the name of its page; empty for what is no topic, like a break


@dataclass(frozen=True, slots=True)
class ShownWeek:
    number: int
    first: date | None
    last: date | None
    is_past: bool
    is_current: bool
    meetings: tuple[ShownMeeting, ...]
    labs: tuple[LabLink, ...]  # of this week, but of none of its topics

    @property
    def is_break(self) -> bool:
        """Whether nothing but a break happens."""
        return bool(self.meetings) and all(m.kind == Meeting.Kind.BREAK for m in self.meetings)


def weeks_of(course: Course) -> list[Week]:
    """All weeks with meetings and resources, in three queries."""
    return list(Week.objects.filter(course=course).prefetch_related("meetings__resources"))


def term_of(weeks: Iterable[Week], today: date) -> Term:
    days = [day for week in weeks for meeting in week.meetings.all() for day in days_of(meeting)]
    return Term(today, min(days, default=None), max(days, default=None))


def days_of(meeting: Meeting) -> list[date]:
    return [day for day in (meeting.date, meeting.last_date) if day is not None]


def shown_weeks(
    course: Course,
    weeks: Iterable[Week],
    assignments: Iterable[Assignment],
    now: datetime,
    *,
    for_staff: bool,
) -> list[ShownWeek]:
    """The weeks for one reader; only staff are led to labs that are not released."""
    today = now.astimezone(course.zone).date()
    labs = [
        (lab, lab_link(course, assignment, now, for_staff=for_staff))
        for assignment in assignments
        if (assignment.published or for_staff) and (lab := lab_of(assignment)) is not None
    ]
    return [shown_week(week, today, labs) for week in weeks]


def lab_of(assignment: Assignment) -> Lab | None:
    """The assignment's lab; None where there is none or its folder cannot be read."""
    try:
        return get_lab(assignment.lab) if assignment.lab else None
    except LabError:
        return None


def lab_link(course: Course, assignment: Assignment, now: datetime, *, for_staff: bool) -> LabLink:
    opened = for_staff or assignment.is_released(now)
    address = reverse("workbench:lab", args=[course.slug, assignment.slug])
    return LabLink(assignment.title, address if opened else "", assignment.release_at)


def shown_week(week: Week, today: date, labs: Sequence[tuple[Lab, LabLink]]) -> ShownWeek:
    days = [day for meeting in week.meetings.all() for day in days_of(meeting)]
    first, last = min(days, default=None), max(days, default=None)
    own = [(lab, link) for lab, link in labs if lab.week == week.number]
    titles = {meeting.title.casefold() for meeting in week.meetings.all()}
    return ShownWeek(
        number=week.number,
        first=first,
        last=last,
        is_past=last is not None and sunday_of(last) < today,
        is_current=first is not None
        and last is not None
        and monday_of(first) <= today <= sunday_of(last),
        meetings=tuple(shown_meeting(meeting, own) for meeting in week.meetings.all()),
        labs=tuple(link for lab, link in own if lab.topic.casefold() not in titles),
    )


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def sunday_of(day: date) -> date:
    return monday_of(day) + timedelta(days=6)


def shown_meeting(meeting: Meeting, labs: Sequence[tuple[Lab, LabLink]]) -> ShownMeeting:
    name = meeting.title.casefold()
    return ShownMeeting(
        title=meeting.title,
        kind=meeting.kind,
        kind_word=KIND_WORDS.get(Meeting.Kind(meeting.kind), ""),
        first=meeting.date,
        last=meeting.last_date if meeting.last_date != meeting.date else None,
        resources=tuple(
            # An address that leads nowhere from this site is not made a link.
            ShownResource(r.label, r.url if r.url.startswith(("https://", "http://")) else "")
            for r in meeting.resources.all()
        ),
        labs=tuple(link for lab, link in labs if lab.topic.casefold() == name),
        topic_slug=slugify(meeting.title) if meeting.kind == Meeting.Kind.LECTURE else "",
    )
