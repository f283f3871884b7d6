"""What columns are called on course pages: one role, many titles, in lower case."""

from collections.abc import Mapping
from typing import Final

Roles = Mapping[str, frozenset[str]]

SYLLABUS: Final[Roles] = {
    "week": frozenset({"#", "no", "w", "week", "week #", "week no", "week number", "weeks", "wk"}),
    "date": frozenset(
        {
            "class date",
            "date",
            "date/week",
            "dates",
            "day",
            "days",
            "lecture date",
            "lecture dates",
            "week & date",
            "week and date",
            "week date",
            "week/date",
            "weeks & dates",
            "when",
        }
    ),
    "topic": frozenset(
        {
            "content",
            "contents",
            "description",
            "lecture",
            "lecture title",
            "lecture topic",
            "lecture topics",
            "lectures",
            "subject",
            "theme",
            "title",
            "topic",
            "topics",
            "what",
        }
    ),
    "resources": frozenset(
        {
            "code",
            "handouts",
            "lecture notes",
            "link",
            "links",
            "material",
            "materials",
            "notebook",
            "notebooks",
            "notes",
            "papers",
            "reading",
            "readings",
            "recording",
            "recordings",
            "references",
            "resource",
            "resources",
            "slide",
            "slides",
            "slides & notes",
            "video",
            "videos",
        }
    ),
}

HOMEWORK: Final[Roles] = {
    "name": frozenset(
        {
            "#",
            "assignment",
            "assignments",
            "homework",
            "homeworks",
            "hw",
            "item",
            "name",
            "no",
            "number",
            "problem set",
            "task",
            "title",
            "topic",
            "topics",
        }
    ),
    "release": frozenset(
        {
            "assigned",
            "available",
            "date released",
            "out",
            "out date",
            "posted",
            "published",
            "release",
            "release date",
            "release day",
            "released",
            "released on",
            "start",
            "start date",
        }
    ),
    "due": frozenset(
        {
            "date due",
            "deadline",
            "deadlines",
            "due",
            "due by",
            "due date",
            "due day",
            "due on",
            "due time",
            "end",
            "end date",
            "submission",
            "submission deadline",
        }
    ),
}

WEIGHTS: Final[Roles] = {
    "name": frozenset(
        {
            "activity",
            "assessment",
            "assessment task",
            "category",
            "component",
            "components",
            "element",
            "grading",
            "item",
            "items",
            "name",
            "part",
            "task",
            "topic",
            "type",
        }
    ),
    "weight": frozenset(
        {
            "%",
            "grade",
            "marks",
            "percent",
            "percentage",
            "percentage %",
            "proportion",
            "share",
            "weight",
            "weight %",
            "weight in grade",
            "weighting",
            "weights",
        }
    ),
}
