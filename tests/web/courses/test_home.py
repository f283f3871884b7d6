"""The course list and a course's home: what to do now, honest outside of the term, personal for its own."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from campus.assignments.models import Assignment
from campus.courses.models import Course, Enrolment, Role
from campus.schedule.apply import Order, import_page
from campus.submissions import lease
from grader.api import Verdict
from tests.cast import NOW, SECOND, Cast, claim_next, hand_in, result_of
from tests.web.schedule.pages import SOUND

HOME = "/courses/test-2025/"


@pytest.fixture
def _in_term(cast: Cast) -> Iterator[None]:
    """The weeks and homeworks of the page, on the Thursday of the third week."""
    order = Order(SOUND.encode(), cast.course.slug, 2025, cast.course.zone, choices={})
    assert not import_page(order).problems
    with time_machine.travel(NOW, tick=False):
        yield


def text_of(client: Client, url: str = HOME) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def another_course(**fields: object) -> Course:
    values = {
        "slug": "other",
        "title": "Another course",
        "year": 2025,
        "time_zone": "Europe/Berlin",
    }
    return Course.objects.create(**(values | {"published": True} | fields))


@pytest.mark.usefixtures("_in_term")
def test_a_visitor_reads_what_is_due_and_what_this_week_is_about(client: Client) -> None:
    page = text_of(client)
    assert "4 February to 8 May 2025, now in week 3." in page
    assert page.index("Homework 1") < page.index("A tiny lab")
    assert "Sat 22 Feb 2025, 23:59 HKT" in page
    assert "Language Model Architecture" in page
    assert "Nvidia GPU Performance" not in page
    assert "Binhang Yuan" in page
    assert "4 × 5 %" in page
    assert "Sign in</a> to do the labs" in page


@pytest.mark.usefixtures("_in_term")
def test_only_who_takes_part_sees_a_row_of_checks(client: Client, cast: Cast) -> None:
    assert "Your checks" not in text_of(client)
    client.force_login(cast.outsider)
    page = text_of(client)
    assert "Your checks" not in page
    assert "You are not enrolled" in page
    client.force_login(cast.student)
    page = text_of(client)
    assert page.count('data-verdict="none"') == len(cast.lab.checks)
    assert "Nothing handed in yet." in page


@pytest.mark.usefixtures("_in_term")
def test_the_newest_grading_fills_the_row_of_checks(client: Client, cast: Cast) -> None:
    hand_in(cast)
    claimed = claim_next(cast)
    assert claimed is not None
    first, second = cast.lab.checks[:2]
    lease.check_done(
        attempt_id=claimed.attempt.pk,
        lease_token=claimed.lease_token,
        results=[
            result_of(cast.lab, first.name, Verdict.PASSED),
            result_of(cast.lab, second.name, Verdict.FAILED),
        ],
        lab=cast.lab,
        now=NOW + SECOND,
    )
    client.force_login(cast.student)
    page = text_of(client)
    assert page.count('class="checks__one" data-verdict="passed"') == 1
    assert page.count('class="checks__one" data-verdict="failed"') == 1
    client.force_login(cast.instructor)
    assert 'data-verdict="passed"' not in text_of(client)


@pytest.mark.parametrize(
    ("days", "says", "not_says"),
    [
        (-60, "The course begins on Tuesday, 4 February 2025", "This week"),
        (200, "The course ran from 4 February to 8 May 2025", "What to do now"),
        (47, "What to do now", "The course ran"),
    ],
)
@pytest.mark.usefixtures("_in_term")
def test_outside_of_the_term_the_page_says_so(
    client: Client, days: int, says: str, not_says: str
) -> None:
    with time_machine.travel(NOW + timedelta(days=days), tick=False):
        page = text_of(client)
    assert says in page
    assert not_says not in page


@pytest.mark.django_db
def test_a_course_without_weeks_or_assignments_still_has_a_home(client: Client) -> None:
    another_course()
    page = text_of(client, "/courses/other/")
    assert "Nothing yet." in page


@pytest.mark.django_db
def test_prose_of_a_course_page_cannot_carry_a_script(client: Client) -> None:
    another_course(overview="<script>alert(1)</script> [x](javascript:alert(1)) **bold**")
    page = text_of(client, "/courses/other/")
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    assert "<strong>bold</strong>" in page


@pytest.mark.usefixtures("_in_term")
def test_an_unpublished_course_is_there_for_its_staff_alone(client: Client, cast: Cast) -> None:
    Course.objects.update(published=False)
    for visitor in (None, cast.outsider, cast.student):
        if visitor is not None:
            client.force_login(visitor)
        assert client.get(HOME).status_code == 404
        assert "A course for tests" not in text_of(client, "/")
    client.force_login(cast.assistant)
    assert "not published" in text_of(client)
    assert client.get("/").headers["Location"] == HOME


@pytest.mark.django_db
def test_the_only_course_is_where_the_site_begins(client: Client, cast: Cast) -> None:
    response = client.get("/")
    assert (response.status_code, response.headers["Location"]) == (302, HOME)


@pytest.mark.django_db
def test_several_courses_are_listed_with_ones_own_first(client: Client, cast: Cast) -> None:
    another_course()
    another_course(slug="hidden", title="A hidden course", published=False)
    page = text_of(client, "/")
    assert "Another course" in page
    assert "A course for tests" in page
    assert "A hidden course" not in page
    client.force_login(cast.student)
    page = text_of(client, "/")
    assert page.index("A course for tests") < page.index("Another course")
    assert "Student" in page


@pytest.mark.django_db
def test_a_site_without_courses_says_what_to_do(client: Client) -> None:
    assert "There is no course to see yet" in text_of(client, "/")


@pytest.mark.usefixtures("_in_term")
def test_the_number_of_queries_does_not_grow(
    client: Client, cast: Cast, django_assert_max_num_queries
) -> None:
    for number in range(12):
        Assignment.objects.create(
            course=cast.course, slug=f"l{number}", title="L", kind="lab", lab="tiny", due_at=NOW
        )
        other = another_course(slug=f"c{number}")
        Enrolment.objects.create(course=other, user=cast.student, role=Role.STUDENT)
    hand_in(cast)
    client.force_login(cast.student)
    with django_assert_max_num_queries(13):
        client.get(HOME)
    with django_assert_max_num_queries(5):
        client.get("/")


@pytest.mark.usefixtures("_in_term")
def test_the_page_has_one_main_heading_and_no_inline_script(client: Client) -> None:
    page = text_of(client)
    assert page.count("<h1") == 1
    assert "<script>" not in page
    assert ' style="' not in page
