"""Homeworks made of lab exercises: what counts, what it comes to, and who may see it."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from campus.assignments.compose import compose
from campus.assignments.models import Assignment
from campus.gradebook.models import ScoreEntry
from campus.submissions.models import Submission
from campus.workers.handout import take_report
from labs.homework import Homework, Part
from tests.cast import NOW, SECOND, Cast, another_student, claim_next, hand_in, report_on

PAGE = "/courses/test-2025/homeworks/homework9/"


@pytest.fixture
def homework(cast: Cast) -> Iterator[Assignment]:
    """E2 of the tiny lab (4 points there) for 30 points, E1 (6 points there) for 10; due in two days."""
    found = Assignment.objects.create(
        course=cast.course,
        slug="homework9",
        title="Homework 9",
        kind=Assignment.Kind.HOMEWORK,
        release_at=NOW - timedelta(days=1),
        due_at=NOW + timedelta(days=2),
    )
    parts = (Part("tiny", ("E2",), Decimal(30)), Part("tiny", ("E1",), Decimal(10)))
    compose(found, Homework("homework9", "Homework 9", Decimal(40), parts))
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        yield found


def graded(cast: Cast, *failed: str, after: timedelta = timedelta(), **whose: object) -> Submission:
    """A submission that a worker has graded; all checks passed but those that failed."""
    now = NOW + after
    submission = hand_in(cast, now=now, **whose).submission  # type: ignore[arg-type]
    claimed = claim_next(cast, now=now + SECOND)
    assert claimed is not None
    report = report_on(submission, cast.lab, failed=failed)
    take_report(claimed.attempt.pk, claimed.lease_token, report, now + 2 * SECOND)
    return submission


def totals(homework: Assignment) -> list[tuple[Decimal | None, Decimal]]:
    entries = ScoreEntry.objects.filter(assignment=homework).order_by("created_at", "pk")
    return [(entry.score_before, entry.score_after) for entry in entries]


def checks_of(cast: Cast, exercise: str) -> list[str]:
    return [check.name for check in cast.lab.checks if check.exercise == exercise]


def text_of(client: Client, url: str = PAGE) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_a_graded_lab_scores_the_homeworks_that_it_is_part_of(
    cast: Cast, homework: Assignment
) -> None:
    graded(cast, *checks_of(cast, "E2"))
    assert totals(homework) == [(None, Decimal(10))]
    graded(cast, *checks_of(cast, "E1"), after=timedelta(minutes=1))
    assert totals(homework) == [(None, Decimal(10)), (Decimal(10), Decimal(40))]
    assert ScoreEntry.objects.filter(assignment=cast.assignment).count() == 2


def test_a_worse_submission_takes_nothing_away_and_writes_nothing(
    cast: Cast, homework: Assignment
) -> None:
    graded(cast)
    graded(cast, *checks_of(cast, "E1"), *checks_of(cast, "E2"), after=timedelta(minutes=1))
    assert totals(homework) == [(None, Decimal(40))]


def test_after_the_cut_off_of_the_homework_a_lab_counts_for_itself_alone(
    cast: Cast, homework: Assignment
) -> None:
    homework.cut_off_at = homework.due_at
    homework.save()
    graded(cast, *checks_of(cast, "E2"))
    graded(cast, after=timedelta(days=3))
    assert totals(homework) == [(None, Decimal(10))]


def test_a_student_sees_points_by_exercise_and_which_submission_counts(
    cast: Cast, homework: Assignment, client: Client
) -> None:
    graded(cast, *checks_of(cast, "E1"))
    client.force_login(cast.student)
    page = text_of(client)
    assert "<strong>30</strong> of 40 points" in page
    assert "Submission 1 counts" in page
    assert "Any root" in page
    assert "Double and total" in page


def test_another_students_work_is_not_on_the_page(
    cast: Cast, homework: Assignment, client: Client
) -> None:
    graded(cast)
    client.force_login(another_student(cast, "second"))
    page = text_of(client)
    assert "<strong>0</strong> of 40 points" in page
    assert "Nothing graded yet." in page


def test_a_late_submission_is_named_late(cast: Cast, homework: Assignment, client: Client) -> None:
    graded(cast, after=timedelta(days=3))
    client.force_login(cast.student)
    assert "late. <a" in text_of(client)


def test_visitors_read_what_counts_and_no_scores(homework: Assignment, client: Client) -> None:
    page = text_of(client)
    assert "Any root" in page
    assert "Your score" not in page


def test_before_its_release_only_staff_find_it(
    cast: Cast, homework: Assignment, client: Client
) -> None:
    homework.release_at = NOW + timedelta(days=1)
    homework.save()
    for who in (None, cast.student, cast.outsider):
        client.logout() if who is None else client.force_login(who)
        assert client.get(PAGE).status_code == 404
    client.force_login(cast.assistant)
    assert client.get(PAGE).status_code == 200


def test_of_a_course_that_is_not_published_an_outsider_finds_nothing(
    cast: Cast, homework: Assignment, client: Client
) -> None:
    cast.course.published = False
    cast.course.save()
    client.force_login(cast.outsider)
    assert client.get(PAGE).status_code == 404
    client.force_login(cast.student)
    assert client.get(PAGE).status_code == 404


def test_an_assignment_without_parts_has_no_such_page(cast: Cast, client: Client) -> None:
    client.force_login(cast.instructor)
    assert client.get("/courses/test-2025/homeworks/tiny/").status_code == 404


def test_the_lab_says_what_it_counts_for(cast: Cast, homework: Assignment, client: Client) -> None:
    client.force_login(cast.student)
    page = text_of(client, "/courses/test-2025/labs/tiny/")
    assert f'<a href="{PAGE}">Homework 9</a>: E2 for 30 of its points' in page


def test_the_schedule_leads_to_it(homework: Assignment, client: Client) -> None:
    assert f'<a href="{PAGE}">Homework 9</a>' in text_of(client, "/courses/test-2025/schedule/")


def test_a_lab_that_cannot_be_read_leaves_the_page_and_the_points(
    cast: Cast, homework: Assignment, client: Client
) -> None:
    graded(cast)
    homework.parts.update(lab="gone")
    client.force_login(cast.student)
    assert "cannot be read at present" in text_of(client)


def test_composing_again_changes_nothing(cast: Cast, homework: Assignment) -> None:
    parts = (Part("tiny", ("E2",), Decimal(30)), Part("tiny", ("E1",), Decimal(10)))
    before = list(homework.parts.values())
    same = Homework("homework9", "Homework 9", Decimal(40), parts)
    assert not compose(homework, same)
    assert list(homework.parts.values()) == before


def test_staff_see_each_students_total_and_who_has_none(
    cast: Cast, homework: Assignment, client: Client
) -> None:
    graded(cast, *checks_of(cast, "E1"))
    another_student(cast, "second")
    client.force_login(cast.assistant)
    page = text_of(client, "/courses/test-2025/staff/homework9/")
    assert '30 <span class="quiet">/ 40</span>' in page
    assert "Not submitted (1)" in page
    dashboard = text_of(client, "/courses/test-2025/staff/")
    line = dashboard.split("Homework 9</a>")[1].split("</tr>")[0]
    assert "1 of 2" in line


def test_students_do_not_find_the_staffs_page_of_a_homework(
    cast: Cast, homework: Assignment, client: Client
) -> None:
    for who in (cast.student, cast.outsider):
        client.force_login(who)
        assert client.get("/courses/test-2025/staff/homework9/").status_code == 404
