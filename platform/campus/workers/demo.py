"""Four demonstration accounts, the labs and homeworks of the course, and a token for the local worker."""

import secrets
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

from django.db import transaction

from campus.accounts.models import User
from campus.assignments.compose import compose
from campus.assignments.models import Assignment
from campus.courses.models import Course, Enrolment, Role
from campus.schedule.models import Meeting
from campus.submissions.lease import token_hash
from campus.workers.models import WorkerToken
from campus.workers.private_files import write_private
from labs.catalog import Lab, find_homeworks, find_labs, get_homework

# Account → name and role; the outsider takes no part, so that what others must not see can be looked at.
CAST: dict[str, tuple[str, Role | None]] = {
    "student": ("Demo Student", Role.STUDENT),
    "assistant": ("Demo Assistant", Role.ASSISTANT),
    "instructor": ("Demo Instructor", Role.INSTRUCTOR),
    "outsider": ("Demo Outsider", None),
}
LOCAL_WORKER = "local"


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account that was made just now, with its password in clear."""

    username: str
    password: str
    role: str


@transaction.atomic
def create_accounts(course: Course) -> list[NewAccount]:
    """The cast, each made once; who exists keeps name, password and role."""
    created = []
    for username, (name, role) in CAST.items():
        user = User.objects.filter(username=username).first()
        if user is None:
            password = secrets.token_urlsafe(12)
            user = User.objects.create_user(username, password=password, name=name)
            created.append(NewAccount(username, password, role or "takes no part in the course"))
        if role is not None:
            Enrolment.objects.get_or_create(course=course, user=user, defaults={"role": role})
    return created


def remember_passwords(path: Path, accounts: list[NewAccount]) -> None:
    """Add them to the file that only its owner can read; an account that was made anew replaces its line."""
    lines = {line.split("\t")[0]: line for line in _lines(path)}
    lines |= {new.username: f"{new.username}\t{new.password}\t{new.role}" for new in accounts}
    write_private(path, "".join(f"{line}\n" for line in lines.values()))


def publish_labs(course: Course) -> list[Assignment]:
    """The course is public, and each lab an assignment without a due date, open from the day on which
    the syllabus has its topic; returns what is new.

    Raises:
        LabError: a lab's folder is broken.
    """
    Course.objects.filter(pk=course.pk, published=False).update(published=True)
    days = days_of_topics(course)
    new = []
    for position, lab in enumerate(find_labs().values(), start=1):
        assignment, created = Assignment.objects.get_or_create(
            course=course,
            slug=lab.slug,
            defaults={
                "title": lab.title,
                "kind": Assignment.Kind.LAB,
                "lab": lab.slug,
                "position": position,
                "release_at": release_of(lab, days, course),
            },
        )
        if created:
            new.append(assignment)
    return new


def compose_homeworks(course: Course) -> list[Assignment]:
    """Give each homework of the course page the exercises that the catalog names for it, unless it has
    some already; returns those that got theirs now.

    Raises:
        LabError: a homework's file is broken, or a lab that it names.
    """
    waiting = Assignment.objects.filter(
        course=course, page_key__in=find_homeworks(), parts__isnull=True
    )
    return [homework for homework in waiting if compose(homework, get_homework(homework.page_key))]


def days_of_topics(course: Course) -> dict[str, datetime]:
    """Topic → the first moment of the day on which it is taught; "week 3" → of that week."""
    days: dict[str, datetime] = {}
    meetings = Meeting.objects.filter(week__course=course, date__isnull=False)
    for meeting in meetings.select_related("week").order_by("date"):
        assert meeting.date is not None
        day = datetime.combine(meeting.date, time(0), course.zone)
        days.setdefault(meeting.title.casefold(), day)
        days.setdefault(f"week {meeting.week.number}", day)
    return days


def release_of(lab: Lab, days: dict[str, datetime], course: Course) -> datetime:
    """When its topic is taught, else when its week begins, else with the year of the course."""
    begin = datetime(course.year, 1, 1, tzinfo=course.zone)
    return days.get(lab.topic.casefold(), days.get(f"week {lab.week}", begin))


def local_worker_token(path: Path) -> bool:
    """Make sure that the file's token is this database's; True when it had to be made."""
    tokens = WorkerToken.objects.filter(name=LOCAL_WORKER)
    raw = path.read_text().strip() if path.is_file() else ""
    if raw and tokens.filter(sha256=token_hash(raw), revoked_at__isnull=True).exists():
        return False
    raw = secrets.token_urlsafe(32)
    WorkerToken.objects.update_or_create(
        name=LOCAL_WORKER, defaults={"sha256": token_hash(raw), "revoked_at": None}
    )
    write_private(path, f"{raw}\n")
    return True


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.is_file() else []
