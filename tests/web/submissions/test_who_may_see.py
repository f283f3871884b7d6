"""Outsiders get the same 404 everywhere, and so does everybody for what is not theirs."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import AsyncClient, Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from campus.assignments.models import Assignment
from campus.courses.models import Course, Enrolment
from tests.cast import Cast, another_student, hand_in

pytestmark = pytest.mark.django_db
OF_A_SUBMISSION = ["detail", "status", "receipt", "notebook", "events"]
PUBLIC = {  # what anybody may read of a published course, and what belongs to no course
    "healthz",
    "receipts_verify",
    "workbench:labs",
    "workbench:figure",
}


@pytest.fixture
def pages(cast: Cast) -> dict[str, str]:
    submission = hand_in(cast).submission
    course = cast.course.slug
    addresses = {
        name: reverse(f"submissions:{name}", args=[course, submission.pk])
        for name in OF_A_SUBMISSION
    }
    for name in ("history", "submit"):
        addresses[name] = reverse(f"submissions:{name}", args=[course, cast.assignment.slug])
    return addresses


def asked(client: Client, name: str, address: str) -> int:
    if name == "submit":
        return client.post(address, "{}", content_type="application/json").status_code
    return client.get(address).status_code


def test_the_outsider_gets_404_everywhere(
    cast: Cast, client: Client, pages: dict[str, str]
) -> None:
    client.force_login(cast.outsider)
    assert {name: asked(client, name, a) for name, a in pages.items()} == dict.fromkeys(pages, 404)


def test_who_is_not_signed_in_gets_404_everywhere(client: Client, pages: dict[str, str]) -> None:
    assert {name: asked(client, name, a) for name, a in pages.items()} == dict.fromkeys(pages, 404)


def test_another_student_sees_nothing_of_a_submission(
    cast: Cast, client: Client, pages: dict[str, str]
) -> None:
    client.force_login(another_student(cast, "other"))
    for name in OF_A_SUBMISSION:
        assert asked(client, name, pages[name]) == 404, name
    assert asked(client, "history", pages["history"]) == 200
    assert "Submission 1" not in client.get(pages["history"]).content.decode()


def test_who_left_the_course_sees_nothing_any_more(
    cast: Cast, client: Client, pages: dict[str, str]
) -> None:
    client.force_login(cast.student)
    Enrolment.objects.filter(user=cast.student).update(active=False)
    assert {asked(client, name, a) for name, a in pages.items()} == {404}


@pytest.mark.parametrize("who", ["student", "assistant", "instructor"])
def test_owner_and_staff_see_all_of_it(
    cast: Cast, client: Client, pages: dict[str, str], who: str
) -> None:
    client.force_login(getattr(cast, who))
    for name in OF_A_SUBMISSION:
        if name != "events":
            assert asked(client, name, pages[name]) == 200, name


@pytest.mark.django_db(transaction=True)
async def test_the_outsider_gets_no_stream(cast: Cast, async_client: AsyncClient) -> None:
    from asgiref.sync import sync_to_async

    submission = (await sync_to_async(hand_in)(cast)).submission
    address = reverse("submissions:events", args=[cast.course.slug, submission.pk])
    assert (await async_client.get(address)).status_code == 404
    await sync_to_async(async_client.force_login)(cast.outsider)
    assert (await async_client.get(address)).status_code == 404
    await sync_to_async(async_client.force_login)(cast.student)
    assert (await async_client.get(address)).status_code == 200


def test_a_submission_is_found_in_its_own_course_only(cast: Cast, client: Client) -> None:
    submission = hand_in(cast).submission
    other = Course.objects.create(
        slug="other", title="Other", year=2025, time_zone="UTC", published=True
    )
    Enrolment.objects.create(course=other, user=cast.instructor, role="instructor")
    client.force_login(cast.instructor)
    assert (
        client.get(reverse("submissions:detail", args=["other", submission.pk])).status_code == 404
    )


def test_an_unreleased_assignment_does_not_exist_for_students(cast: Cast, client: Client) -> None:
    Assignment.objects.update(release_at=timezone.now() + timedelta(days=1), due_at=None)
    address = reverse("submissions:history", args=[cast.course.slug, cast.assignment.slug])
    client.force_login(cast.student)
    assert client.get(address).status_code == 404
    client.force_login(cast.assistant)
    assert client.get(address).status_code == 200


def test_an_unpublished_course_does_not_exist_for_students(
    cast: Cast, client: Client, pages: dict[str, str]
) -> None:
    Course.objects.update(published=False)
    client.force_login(cast.student)
    assert {asked(client, name, a) for name, a in pages.items()} == {404}
    client.force_login(cast.instructor)
    assert asked(client, "history", pages["history"]) == 200


def named_patterns(
    resolver: URLResolver, namespace: str = "", path: str = ""
) -> Iterator[tuple[str, str]]:
    """Every address of the site as (name, pattern)."""
    for entry in resolver.url_patterns:
        here = path + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield f"{namespace}{entry.name}", here
        else:
            inner = f"{entry.namespace}:" if entry.namespace else ""
            yield from named_patterns(entry, namespace + inner, here)


def test_no_address_of_the_site_shows_the_outsider_anything_of_a_course(
    cast: Cast, client: Client
) -> None:
    """Also those that are added later: each has to be public on purpose or answer 404."""
    submission = hand_in(cast).submission
    Course.objects.update(published=False)  # then nothing of it is public
    values = {
        "submission_id": submission.pk,
        "uuid:submission_id": submission.pk,
        "attempt_id": submission.attempts.get().pk,
        "slug": cast.course.slug,
        "course_slug": cast.course.slug,
        "course": cast.course.slug,
        "assignment": cast.assignment.slug,
        "assignment_slug": cast.assignment.slug,
        "homework": cast.assignment.slug,
        "topic": "introduction",
        "lab": cast.assignment.slug,
    }
    client.force_login(cast.outsider)
    seen = 0
    for name, pattern in named_patterns(get_resolver()):
        if "courses/" not in pattern:
            continue
        address = "/" + pattern
        for key, value in values.items():
            for converter in ("slug", "uuid", "str", ""):
                address = address.replace(f"<{converter}:{key}>".replace("<:", "<"), str(value))
        address = address.replace("<path:name>", "a.png").replace("<str:name>", "a.png")
        assert "<" not in address, f"{name}: tell this test what to put into {address}"
        for method in (client.get, client.post):
            status = method(address).status_code
            assert status in (404, 405), f"{name} answers {status} to an outsider at {address}"
        seen += 1
    assert seen >= 7
