import uuid

import pytest
from django.test import Client

from campus.courses.models import Course, Role
from tests.web.staff.builders import (
    a_course,
    a_graded_attempt,
    a_submission,
    an_assignment,
    enrolled,
    somebody,
)

pytestmark = pytest.mark.django_db
PAGES = ("dashboard", "assignment", "submission")


def addresses(course: Course) -> dict[str, str]:
    """Every staff page of a course, about a submission of somebody called pupil."""
    pupil = enrolled(course, "pupil")
    submission = a_submission(pupil, an_assignment(course))
    a_graded_attempt(submission)
    root = f"/courses/{course.slug}/staff/"
    return {
        "dashboard": root,
        "assignment": f"{root}steps/",
        "submission": f"{root}submissions/{submission.pk}/",
    }


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", [Role.ASSISTANT, Role.INSTRUCTOR])
def test_assistants_and_instructors_see_every_staff_page(
    client: Client, page: str, role: Role
) -> None:
    course = a_course()
    address = addresses(course)[page]
    client.force_login(enrolled(course, "staff", role).user)
    answer = client.get(address)
    assert answer.status_code == 200
    assert "pupil" in answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_a_student_gets_404_on_every_staff_page_also_about_their_own_submission(
    client: Client, page: str
) -> None:
    course = a_course()
    address = addresses(course)[page]
    client.force_login(course.enrolments.get(user__username="pupil").user)
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_an_outsider_gets_404_on_every_staff_page(client: Client, page: str) -> None:
    address = addresses(a_course())[page]
    client.force_login(somebody("outsider"))
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_who_is_not_signed_in_gets_404_on_every_staff_page(client: Client, page: str) -> None:
    assert client.get(addresses(a_course())[page]).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_staff_of_another_course_get_404(client: Client, page: str) -> None:
    address = addresses(a_course())[page]
    client.force_login(enrolled(a_course("other-2025"), "stranger", Role.INSTRUCTOR).user)
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_an_assistant_who_left_the_course_gets_404(client: Client, page: str) -> None:
    course = a_course()
    address = addresses(course)[page]
    assistant = enrolled(course, "gone", Role.ASSISTANT)
    assistant.active = False
    assistant.save()
    client.force_login(assistant.user)
    assert client.get(address).status_code == 404


def test_a_submission_is_not_found_under_another_course_that_one_teaches(client: Client) -> None:
    address = addresses(a_course())["submission"]
    client.force_login(enrolled(a_course("other-2025"), "teacher", Role.INSTRUCTOR).user)
    assert client.get(address.replace("steps-2025", "other-2025")).status_code == 404


def test_what_does_not_exist_looks_the_same_as_what_is_not_allowed(client: Client) -> None:
    course = a_course()
    client.force_login(enrolled(course, "staff", Role.ASSISTANT).user)
    assert client.get(f"/courses/{course.slug}/staff/nothing/").status_code == 404
    assert (
        client.get(f"/courses/{course.slug}/staff/submissions/{uuid.uuid4()}/").status_code == 404
    )
    assert client.get("/courses/nowhere/staff/").status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_staff_pages_only_answer_to_reading(client: Client, page: str) -> None:
    course = a_course()
    address = addresses(course)[page]
    client.force_login(enrolled(course, "staff", Role.ASSISTANT).user)
    assert client.post(address).status_code == 405
