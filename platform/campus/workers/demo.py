"""Four demonstration accounts, the first lab as an assignment, and a token for the local worker."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from campus.accounts.models import User
from campus.assignments.models import Assignment
from campus.courses.models import Course, Enrolment, Role
from campus.submissions.lease import token_hash
from campus.workers.models import WorkerToken
from campus.workers.private_files import write_private
from labs.catalog import get_lab

# Account → name and role; the outsider takes no part, so that what others must not see can be looked at.
CAST: dict[str, tuple[str, Role | None]] = {
    "student": ("Demo Student", Role.STUDENT),
    "assistant": ("Demo Assistant", Role.ASSISTANT),
    "instructor": ("Demo Instructor", Role.INSTRUCTOR),
    "outsider": ("Demo Outsider", None),
}
LABS = {"autodiff": (2025, 2, 13)}  # released in the week in which the course page has its topic
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
    """The course is public, and each lab an assignment without a due date; returns what is new.

    Raises:
        LabError: a lab's folder is missing or broken.
    """
    Course.objects.filter(pk=course.pk, published=False).update(published=True)
    new = []
    for slug, (year, month, day) in LABS.items():
        lab = get_lab(slug)
        assignment, created = Assignment.objects.get_or_create(
            course=course,
            slug=slug,
            defaults={
                "title": lab.title,
                "kind": Assignment.Kind.LAB,
                "lab": slug,
                "position": lab.week,
                "release_at": datetime(year, month, day, tzinfo=course.zone),
            },
        )
        if created:
            new.append(assignment)
    return new


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
