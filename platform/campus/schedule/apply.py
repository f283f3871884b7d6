"""A course page → rows, in one transaction: all of it or nothing.

Importing the same page again changes nothing. The comparison and the writing are one and the same
code, so that a dry run (which rolls back at the end) shows exactly what would happen. Two imports of
one course at the same time follow each other, because both begin by locking the course's row.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import transaction

from campus.accounts.models import User
from campus.courses.models import Course
from campus.schedule.apply_grading import KEEP, apply_homeworks, apply_people, apply_weights
from campus.schedule.apply_weeks import apply_weeks
from campus.schedule.diff import Change, Diff
from campus.schedule.models import CourseImport
from campus.schedule.page import CoursePage, Note, Problem, read_page
from campus.schedule.page.addresses import with_absolute_links
from campus.schedule.page.problems import Findings


@dataclass(frozen=True, slots=True)
class Order:
    """What to import, and into which course."""

    source: bytes
    course: str
    year: int
    time_zone: ZoneInfo
    choices: Mapping[str, str]
    title: str = ""
    links_base: str = ""  # where the page's relative links lead
    publish: bool = True  # a course that is new; one that exists stays as it is
    author: User | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import did, or would do. With problems nothing was written."""

    changes: tuple[Change, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]
    unused_choices: tuple[str, ...]
    choosable_fields: tuple[str, ...]
    answered: Mapping[str, str]

    @property
    def is_refused(self) -> bool:
        return bool(self.problems or self.unused_choices)


def import_page(order: Order, *, dry_run: bool = False) -> Outcome:
    """Read the page and make the course's rows say the same."""
    reading = read_page(order.source, year=order.year, choices=order.choices)
    findings = reading.findings
    page = with_absolute_links(reading.page, order.links_base, findings)
    changes: list[Change] = []
    if not findings.problems:
        with transaction.atomic():
            changes = apply_page(page, order, findings)
            refused = bool(findings.problems or findings.unused_choices())
            if refused or dry_run:
                transaction.set_rollback(True)
            if refused:
                changes = []
    unused = findings.unused_choices()
    if findings.problems:
        # Whether these are needed is only asked once the page itself is sound.
        unused = [name for name in unused if order.choices[name] != KEEP]
    return Outcome(
        changes=tuple(changes),
        problems=tuple(findings.sorted_problems()),
        notes=tuple(sorted(findings.notes, key=lambda note: note.line)),
        unused_choices=tuple(unused),
        choosable_fields=tuple(sorted(findings.choosable_fields)),
        answered=dict(findings.answered),
    )


def apply_page(page: CoursePage, order: Order, findings: Findings) -> list[Change]:
    """Write a sound page; call it inside of a transaction."""
    diff = Diff(order.time_zone)
    course = locked_course(page, order, diff)
    values: dict[str, object] = {
        "year": order.year,
        "time_zone": str(order.time_zone),
        "overview": page.overview,
    }
    if title := order.title or page.title:
        values["title"] = title
    if page.code:
        values["code"] = page.code
    diff.update(course, "course", values)
    apply_people(course, page.people, diff)
    apply_weeks(course, page.weeks, diff)
    components = apply_weights(course, page.weights, diff)
    apply_homeworks(course, page.homeworks, components, diff, findings)
    if diff.changes:
        CourseImport.objects.create(
            course=course,
            author=order.author,
            sha256=hashlib.sha256(order.source).hexdigest(),
            page=order.source.decode("utf-8-sig"),
            choices=dict(findings.answered),
            changes=[str(change) for change in diff.changes],
        )
    return diff.changes


def locked_course(page: CoursePage, order: Order, diff: Diff) -> Course:
    """The course's row, made if need be, and held until the transaction ends."""
    title = order.title or page.title or page.code or order.course.replace("-", " ").upper()
    course, created = Course.objects.get_or_create(
        slug=order.course,
        defaults={
            "code": page.code,
            "title": title,
            "year": order.year,
            "time_zone": str(order.time_zone),
            "overview": page.overview,
            "published": order.publish,
        },
    )
    if created:
        diff.added(f"course {order.course}", title)
        return course
    return Course.objects.select_for_update().get(pk=course.pk)
