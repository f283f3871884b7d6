"""Made-up students: recognised by an address that nobody else can have, unable to sign in."""

from collections.abc import Sequence

from django.contrib.auth.hashers import make_password
from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Concat

from campus.accounts.models import User
from campus.courses.models import Course, Enrolment, Role
from campus.gradebook.demo.errors import SeedError

ADDRESS = "@seed.invalid"  # a domain that can never exist (RFC 2606)
SECTIONS = ("LA1", "LA2", "LA3")


def username(number: int) -> str:
    return f"student{number:03}"


def seeded_people() -> QuerySet[User]:
    """Everybody whom seeding made: the address is the username's own, at a domain that cannot be."""
    return User.objects.filter(
        email=Concat(F("username"), Value(ADDRESS), output_field=CharField())
    )


def seeded_enrolments(course: Course) -> QuerySet[Enrolment]:
    return Enrolment.objects.filter(course=course, role=Role.STUDENT, user__in=seeded_people())


def enrol(course: Course, numbers: Sequence[int]) -> dict[int, Enrolment]:
    """Number → enrolment for those who were not enrolled yet; the others are left as they are.

    Raises:
        SeedError: somebody real already has one of the usernames.
    """
    wanted = {username(number): number for number in numbers}
    there = {user.username: user for user in User.objects.filter(username__in=wanted)}
    real = sorted(name for name, user in there.items() if user.email != f"{name}{ADDRESS}")
    if real:
        raise SeedError(
            f"{', '.join(real[:5])}{' …' if len(real) > 5 else ''}: these accounts are not made up, "
            "so nothing was seeded. Seed a database of its own: GRADUS_HOME=/some/folder."
        )
    User.objects.bulk_create(
        User(username=name, email=f"{name}{ADDRESS}", password=make_password(None))
        for name in wanted
        if name not in there
    )
    enrolled = set(
        Enrolment.objects.filter(course=course, user__username__in=wanted).values_list(
            "user__username", flat=True
        )
    )
    made = Enrolment.objects.bulk_create(
        Enrolment(
            course=course,
            user=user,
            role=Role.STUDENT,
            section=SECTIONS[(wanted[user.username] - 1) % len(SECTIONS)],
        )
        for user in User.objects.filter(username__in=wanted).order_by("username")
        if user.username not in enrolled
    )
    return {wanted[enrolment.user.username]: enrolment for enrolment in made}
