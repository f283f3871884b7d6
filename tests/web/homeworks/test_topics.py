"""Topic pages: each topic of the syllabus with its lab, its figures and its reading."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from campus.assignments.models import Assignment
from campus.courses.models import Course, Enrolment, Role
from campus.schedule.apply import Order, import_page
from labs.catalog import HOME, find_labs
from tests.cast import NOW, Cast
from tests.web.schedule.pages import SOUND

COURSE = "comp4901y-2025"
TOPIC = f"/courses/{COURSE}/topics/automatic-differentiation/"


@pytest.fixture
def course(cast: Cast, tmp_path: Path, settings: object) -> Iterator[Course]:
    """The whole course of the page with its labs, as the demonstration has it."""
    settings.HOME = tmp_path  # type: ignore[attr-defined]
    order = Order(SOUND.encode(), COURSE, 2025, cast.course.zone, choices={}, title="A course")
    assert not import_page(order).problems
    call_command("setup_demo", verbosity=0)
    course = Course.objects.get(slug=COURSE)
    Enrolment.objects.get_or_create(
        course=course, user=cast.student, defaults={"role": Role.STUDENT}
    )
    with time_machine.travel(NOW, tick=False):
        yield course


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_the_syllabus_leads_to_its_topics(course: Course, client: Client) -> None:
    page = text_of(client, f"/courses/{COURSE}/syllabus/")
    assert f'<a href="{TOPIC}">Automatic Differentiation</a>' in page
    assert "topics/spring-break" not in page


def test_a_topic_has_its_lab_its_figures_and_its_reading(course: Course, client: Client) -> None:
    page = text_of(client, TOPIC)
    assert "Build an autodiff engine" in page
    assert "Automatic differentiation in machine learning: a survey" in page
    figures = [part.split('"')[0] for part in page.split('<img src="')[1:]]
    assert figures
    for address in figures:
        response = client.get(address)
        assert response.status_code == 200
        assert response["Content-Type"].startswith("image/")


def test_every_shipped_lab_belongs_to_a_topic_of_the_page(course: Course, client: Client) -> None:
    page = text_of(client, f"/courses/{COURSE}/syllabus/")
    from django.utils.text import slugify

    shipped = [lab for lab in find_labs().values() if lab.folder.parent == HOME]
    assert shipped
    for lab in shipped:
        assert f"/topics/{slugify(lab.topic)}/" in page, lab.slug
        assert lab.title in text_of(client, f"/courses/{COURSE}/topics/{slugify(lab.topic)}/")


def test_figures_stay_closed_until_the_lab_opens(course: Course, client: Client) -> None:
    address = text_of(client, TOPIC).split('<img src="')[1].split('"')[0]
    Assignment.objects.filter(course=course, slug="autodiff").update(
        release_at=NOW + timedelta(days=1)
    )
    assert "<img" not in text_of(client, TOPIC)
    assert client.get(address).status_code == 404
    client.login(username="student", password="password-of-the-tests")
    assert client.get(address).status_code == 404


def test_no_figure_leads_out_of_its_folder(course: Course, client: Client) -> None:
    for name in ("../lab.py", "..%2Flab.py", "%00.svg", "x" * 3000 + ".svg", "lab.toml"):
        address = f"/courses/{COURSE}/topics/figures/autodiff/{name}"
        assert client.get(address).status_code == 404


def test_what_is_no_topic_is_not_found(course: Course, client: Client, cast: Cast) -> None:
    for topic in ("spring-break", "mid-term-exam", "nothing"):
        assert client.get(f"/courses/{COURSE}/topics/{topic}/").status_code == 404
    Course.objects.filter(pk=course.pk).update(published=False)
    client.force_login(cast.outsider)
    assert client.get(TOPIC).status_code == 404


def test_the_homework_that_a_lab_counts_for_is_named(course: Course, client: Client) -> None:
    assert "Homework 1</a>, due" in text_of(client, TOPIC)


def test_the_first_homework_is_the_courses_own(course: Course, client: Client) -> None:
    """Thirty, thirty and forty points, from 13 to 22 February 23:59 in Hong Kong, five per cent."""
    page = text_of(client, f"/courses/{COURSE}/homeworks/homework1/")
    for words in ("13 Feb 2025", "22 Feb 2025", "5 % of the course", "30 points", "40 points"):
        assert words in page, words
    homework = Assignment.objects.get(course=course, slug="homework1")
    assert homework.due_at is not None
    assert homework.due_at.astimezone(course.zone).strftime("%Y-%m-%d %H:%M") == "2025-02-22 23:59"
