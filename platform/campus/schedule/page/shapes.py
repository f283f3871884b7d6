"""What a course page says, as frozen values that remember their line."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class MeetingKind(StrEnum):
    """What a topic of a week is; the same words as schedule.Meeting.Kind."""

    LECTURE = "lecture"
    BREAK = "break"
    EXAM = "exam"
    REVIEW = "review"
    GUEST = "guest"
    OTHER = "other"


class WeightKind(StrEnum):
    """What a line of the grading is about; the same words as assignments.GradingComponent.Kind."""

    HOMEWORK = "homework"
    EXAM = "exam"
    OTHER = "other"


class Part(StrEnum):
    """What a named person does; the same words as courses.TeachingTeamMember.Part."""

    LECTURER = "lecturer"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class PagePerson:
    """A lecturer or a teaching assistant."""

    line: int
    name: str
    part: Part


@dataclass(frozen=True, slots=True)
class PageResource:
    """Slides, a notebook or another thing of a topic; no URL means announced, not there yet."""

    line: int
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class PageMeeting:
    """One topic. `last_date` is set when the topic covers more than one date of its week."""

    line: int
    title: str
    kind: MeetingKind
    date: datetime.date | None
    last_date: datetime.date | None
    resources: tuple[PageResource, ...]


@dataclass(frozen=True, slots=True)
class PageWeek:
    """A row of the syllabus."""

    line: int
    number: int
    dates: tuple[datetime.date, ...]
    meetings: tuple[PageMeeting, ...]


@dataclass(frozen=True, slots=True)
class PageHomework:
    """A row of the homework table; a date that is still open is None."""

    line: int
    key: str  # homework4
    title: str  # Homework 4
    release: datetime.date | None
    due: datetime.date | None
    due_time: datetime.time | None  # None: the end of the day
    released: bool  # the page's own tick
    url: str


@dataclass(frozen=True, slots=True)
class PageWeight:
    """A line of the grading: `percent` is of all `count` together; `parts` are indented under it."""

    line: int
    title: str
    kind: WeightKind
    count: int
    percent: Decimal
    parts: tuple["PageWeight", ...] = ()


@dataclass(frozen=True, slots=True)
class CoursePage:
    """A whole page. `title` and `code` are empty where the page has no heading."""

    code: str
    title: str
    overview: str
    people: tuple[PagePerson, ...]
    weeks: tuple[PageWeek, ...]
    weights: tuple[PageWeight, ...]
    homeworks: tuple[PageHomework, ...]
