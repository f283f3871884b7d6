"""Syllabus and schedule: public, complete without scripts, in a fixed number of queries."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from campus.assignments.models import Assignment
from campus.schedule.apply import Order, import_page
from campus.schedule.models import Meeting, Resource, Week
from campus.schedule.syllabus import Phase, term_of, weeks_of
from tests.cast import NOW, Cast
from tests.web.schedule.pages import SOUND, edited

SYLLABUS = "/courses/test-2025/syllabus/"
SCHEDULE = "/courses/test-2025/schedule/"
PAGES = (SYLLABUS, SCHEDULE)


@pytest.fixture
def _in_term(cast: Cast) -> Iterator[None]:
    """The course of the cast with the weeks of the page, on the Thursday of its third week."""
    page = edited(("| RAG", "| RAG [[Slides]](https://example.org/rag.pdf) [[Notes]](notes.pdf)"))
    order = Order(page.encode(), cast.course.slug, 2025, cast.course.zone, choices={})
    assert not import_page(order).problems
    with time_machine.travel(NOW, tick=False):
        yield


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


@pytest.mark.usefixtures("_in_term")
def test_everybody_reads_the_syllabus_of_a_published_course(client: Client) -> None:
    page = text_of(client, SYLLABUS)
    assert "14 weeks, 4 February to 8 May 2025" in page
    assert page.count('class="week"') == 14
    assert "Tensor Model-, Optimizer- Parallel Training" in page
    assert '<a href="https://example.org/rag.pdf" rel="noopener noreferrer">Slides</a>' in page


@pytest.mark.usefixtures("_in_term")
def test_the_current_week_is_marked_and_no_other(client: Client) -> None:
    page = text_of(client, SYLLABUS)
    assert page.count("data-current") == 1
    assert 'id="week-3" data-current' in page
    assert page.count("data-past") == 2


@pytest.mark.usefixtures("_in_term")
def test_breaks_exams_reviews_and_guests_are_shown_as_what_they_are(client: Client) -> None:
    page = text_of(client, SYLLABUS)
    for title, word in (("Spring Break", "Break"), ("Mid-Term Exam", "Exam"), ("Final Review", "Review"), ("Guest Speech", "Guest")):  # fmt: skip
        assert f'{title} <span class="meeting__kind">{word}</span>' in page


@pytest.mark.usefixtures("_in_term")
def test_what_is_only_announced_and_what_leads_nowhere_is_no_link(client: Client) -> None:
    page = text_of(client, SYLLABUS)
    assert 'title="Announced on the course page, not there yet">Notebook</span>' in page
    assert "notes.pdf" not in page


@pytest.mark.usefixtures("_in_term")
def test_a_lab_stands_next_to_its_topic_once_it_is_open(client: Client, cast: Cast) -> None:
    lab = cast.lab
    Meeting.objects.filter(week__number=lab.week, position=0).update(title=lab.topic.upper())
    address = "/courses/test-2025/labs/tiny/"
    assert f'href="{address}"' in text_of(client, SYLLABUS)
    Assignment.objects.filter(pk=cast.assignment.pk).update(release_at=NOW + timedelta(days=2))
    page = text_of(client, SYLLABUS)
    assert address not in page
    assert "in 2 days" in page
    Assignment.objects.filter(pk=cast.assignment.pk).update(published=False)
    assert "A tiny lab" not in text_of(client, SYLLABUS)
    client.force_login(cast.assistant)
    assert f'href="{address}"' in text_of(client, SYLLABUS)


@pytest.mark.usefixtures("_in_term")
def test_the_schedule_shows_dates_marks_and_weights(client: Client) -> None:
    page = text_of(client, SCHEDULE)
    assert "Sat 22 Feb 2025, 23:59 HKT" in page
    assert ">in 2 days<" in page
    assert page.count('<span class="unseen">Released</span>') == 2  # homework 1 and the lab
    assert page.count("5 %") == 4
    assert "Tue 18 Mar 2025" in page
    assert "50 %" in page
    assert '<a href="/courses/test-2025/labs/tiny/">A tiny lab</a>' in page


@pytest.mark.django_db
def test_dates_that_are_not_decided_are_said_to_be_open(client: Client, cast: Cast) -> None:
    Assignment.objects.create(course=cast.course, slug="h", title="Homework 1", kind="homework")
    page = text_of(client, SCHEDULE)
    assert page.count("not decided yet") == 2


@pytest.mark.django_db
def test_a_course_without_anything_says_so(client: Client, cast: Cast) -> None:
    Assignment.objects.filter(course=cast.course).delete()
    assert "There are no weeks yet" in text_of(client, SYLLABUS)
    assert "There is no homework" in text_of(client, SCHEDULE)


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.usefixtures("_in_term")
def test_an_unpublished_course_is_there_for_its_staff_alone(
    client: Client, cast: Cast, url: str
) -> None:
    type(cast.course).objects.update(published=False)
    for visitor in (None, cast.outsider, cast.student):
        if visitor is not None:
            client.force_login(visitor)
        assert client.get(url).status_code == 404
    for member in (cast.assistant, cast.instructor):
        client.force_login(member)
        assert client.get(url).status_code == 200


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.usefixtures("_in_term")
def test_the_number_of_queries_does_not_grow(
    client: Client, cast: Cast, url: str, django_assert_max_num_queries
) -> None:
    client.force_login(cast.student)
    for number in range(15, 40):
        week = Week.objects.create(course=cast.course, number=number)
        for position in range(3):
            meeting = Meeting.objects.create(
                week=week, position=position, title="T", kind="lecture"
            )
            Resource.objects.create(meeting=meeting, position=0, label="Slides")
        Assignment.objects.create(
            course=cast.course, slug=f"l{number}", title="L", kind="lab", lab="tiny"
        )
    with django_assert_max_num_queries(10):
        client.get(url)


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.usefixtures("_in_term")
def test_pages_are_only_read(client: Client, url: str) -> None:
    assert client.post(url).status_code == 405


@pytest.mark.usefixtures("_in_term")
def test_the_term_is_before_running_or_after(cast: Cast) -> None:
    weeks = weeks_of(cast.course)
    for day, phase in (("2025-02-03", Phase.BEFORE), ("2025-02-04", Phase.RUNNING), ("2025-05-08", Phase.RUNNING), ("2025-05-09", Phase.AFTER)):  # fmt: skip
        assert term_of(weeks, datetime.fromisoformat(day).date()).phase is phase
    assert term_of([], NOW.date()).phase is Phase.UNSCHEDULED


@pytest.mark.usefixtures("_in_term")
def test_a_new_week_begins_at_midnight_of_the_course(client: Client) -> None:
    midnight = datetime(2025, 2, 23, 16, 0, tzinfo=UTC)  # Monday in Hong Kong
    with time_machine.travel(midnight - timedelta(seconds=1), tick=False):
        assert 'id="week-3" data-current' in text_of(client, SYLLABUS)
    with time_machine.travel(midnight, tick=False):
        assert 'id="week-4" data-current' in text_of(client, SYLLABUS)


def test_the_page_that_these_tests_import_is_sound() -> None:
    assert "04/31" not in SOUND
