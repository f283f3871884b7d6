"""Who submitted what with which score."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from campus.courses.models import Course, Enrolment, Role
from campus.submissions.models import Attempt
from grader.api import Verdict
from tests.web.staff.builders import (
    DUE,
    NOW,
    a_course,
    a_graded_attempt,
    a_submission,
    an_assignment,
    an_attempt,
    enrolled,
)

pytestmark = pytest.mark.django_db
ADDRESS = "/courses/steps-2025/staff/steps/"


def a_class() -> Course:
    """Five students, one in every state that a table has to show."""
    course = a_course()
    assignment = an_assignment(course)

    def handed_in(student: Enrolment, minutes: int) -> object:
        return a_submission(student, assignment, at=NOW + timedelta(minutes=minutes))

    ada = enrolled(course, "ada", section="LA1")
    a_graded_attempt(handed_in(ada, 1))
    a_graded_attempt(handed_in(ada, 2), {"doubles": Verdict.FAILED})
    bea = enrolled(course, "bea", section="LA2")
    a_graded_attempt(a_submission(bea, assignment, at=DUE + timedelta(hours=1)))
    an_attempt(handed_in(enrolled(course, "cyd", section="LA2"), 4))
    an_attempt(
        handed_in(enrolled(course, "dee", section="LA1"), 5),
        state=Attempt.State.DONE,
        outcome=Attempt.Outcome.INTERNAL_ERROR,
        failure="the jail could not be built",
        internal_errors=3,
        finished_at=NOW,
    )
    enrolled(course, "eva", section="LA3")
    enrolled(course, "assistant", Role.ASSISTANT)
    return course


def signed_in(client: Client, course: Course) -> Client:
    client.force_login(course.enrolments.get(user__username="assistant").user)
    return client


def names(html: str) -> list[str]:
    """The students of the table, in its order."""
    rows = re.findall(r'<th scope="row">(.*?)</th>', html, re.DOTALL)
    return [re.sub(r"<[^>]*>|\s", "", row) for row in rows]


def row_of(html: str, name: str) -> str:
    """One student's row as text."""
    rows = re.findall(r"<tr>.*?</tr>", html, re.DOTALL)
    found = next(row for row in rows if f">{name}<" in row or f" {name}" in row)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", found))


def page(client: Client, query: str = "") -> str:
    answer = client.get(ADDRESS + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_student_is_listed_also_who_submitted_nothing(client: Client) -> None:
    html = page(signed_in(client, a_class()))
    assert names(html) == ["ada", "bea", "cyd", "dee", "eva"]
    assert "Not submitted" in row_of(html, "eva")
    assert "href" not in re.findall(r'<th scope="row">\s*eva', html)[0]


def test_latest_and_best_score_are_told_apart(client: Client) -> None:
    ada = row_of(page(signed_in(client, a_class())), "ada")
    assert "2" in ada
    assert re.search(r"6 +/ 10 +10 ", ada), ada


def test_late_is_marked_only_where_it_is_late(client: Client) -> None:
    html = page(signed_in(client, a_class()))
    assert "late" in row_of(html, "bea")
    assert "late" not in row_of(html, "ada")


def test_the_time_is_shown_with_its_zone(client: Client) -> None:
    assert "20:02 HKT" in row_of(page(signed_in(client, a_class())), "ada")


def test_the_verdicts_are_those_of_the_newest_graded_submission(client: Client) -> None:
    html = page(signed_in(client, a_class()))
    pips = re.findall(r'aria-label="Passed: ([^"]*)"', html)
    assert pips[:2] == ["E1 0 of 1, E2 2 of 2", "E1 1 of 1, E2 2 of 2"]
    assert 'data-verdict="failed" title="E1 Twice as much.: Failed"' in html


def test_a_failure_of_ours_is_a_state_and_no_score(client: Client) -> None:
    dee = row_of(page(signed_in(client, a_class())), "dee")
    assert "Failed on our side" in dee
    assert "0 / 10" not in dee


def test_while_a_regrade_waits_the_old_score_stays(client: Client) -> None:
    course = a_class()
    newest = course.enrolments.get(user__username="ada").submissions.order_by("-number").first()
    an_attempt(newest, purpose=Attempt.Purpose.REGRADE)
    ada = row_of(page(signed_in(client, course)), "ada")
    assert "Waiting" in ada
    assert re.search(r"6 +/ 10", ada)


def test_a_regrade_replaces_the_score_that_it_repeats_also_as_the_best(client: Client) -> None:
    course = a_class()
    bea = course.enrolments.get(user__username="bea").submissions.get()
    a_graded_attempt(bea, {"halves": Verdict.FAILED}, purpose=Attempt.Purpose.REGRADE)
    assert re.search(r"6 +/ 10 +6 ", row_of(page(signed_in(client, course)), "bea"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?sort=-best", ["ada", "bea", "cyd", "dee", "eva"]),
        ("?sort=score", ["ada", "bea", "cyd", "dee", "eva"]),
        ("?sort=-score", ["bea", "ada", "cyd", "dee", "eva"]),
        ("?sort=-student", ["eva", "dee", "cyd", "bea", "ada"]),
        ("?sort=-submissions", ["ada", "bea", "cyd", "dee", "eva"]),
        ("?sort=submitted", ["ada", "cyd", "dee", "bea", "eva"]),
        ("?sort=-submitted", ["bea", "dee", "cyd", "ada", "eva"]),
        ("?sort=section", ["ada", "dee", "bea", "cyd", "eva"]),
        ("?sort=state", ["eva", "cyd", "ada", "bea", "dee"]),
        ("?state=graded", ["ada", "bea"]),
        ("?state=missing", ["eva"]),
        ("?state=waiting", ["cyd"]),
        ("?state=internal_error", ["dee"]),
        ("?state=late", ["bea"]),
        ("?section=LA2", ["bea", "cyd"]),
        ("?q=E", ["bea", "dee", "eva"]),
        ("?q=la1+AD", ["ada"]),
        ("?q=e&section=LA1", ["dee"]),
        (
            "?sort=nonsense&state=nonsense&section=nonsense&page=x",
            ["ada", "bea", "cyd", "dee", "eva"],
        ),
        ("?page=99", ["ada", "bea", "cyd", "dee", "eva"]),
    ],
)
def test_sorting_filters_and_search(client: Client, query: str, expected: list[str]) -> None:
    assert names(page(signed_in(client, a_class()), query)) == expected


def test_nobody_found_says_what_to_do(client: Client) -> None:
    html = page(signed_in(client, a_class()), "?q=nobody")
    assert "Nobody matches" in html
    assert "Show everybody" in html


def test_a_course_without_students_says_what_to_do(client: Client) -> None:
    course = a_course()
    an_assignment(course)
    enrolled(course, "assistant", Role.ASSISTANT)
    assert "No students yet" in page(signed_in(client, course))


def test_htmx_gets_the_table_alone_from_the_same_address(client: Client) -> None:
    signed_in(client, a_class())
    whole = client.get(ADDRESS)
    part = client.get(ADDRESS, headers={"HX-Request": "true"})
    assert "<html" in whole.content.decode()
    assert part.content.decode().strip().startswith('<div id="rows"')
    assert names(part.content.decode()) == names(whole.content.decode())
    for answer in (whole, part):
        assert "HX-Request" in answer.headers["Vary"]


def test_going_back_in_the_browser_gets_the_whole_page(client: Client) -> None:
    signed_in(client, a_class())
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in client.get(ADDRESS, headers=headers).content.decode()


def test_a_heading_sorts_by_itself_and_then_the_other_way(client: Client) -> None:
    html = page(signed_in(client, a_class()), "?sort=-best&q=a")
    assert 'aria-sort="descending"' in html
    assert 'href="?q=a&amp;sort=best"' in html
    assert 'href="?q=a&amp;sort=-score"' in html


def test_searching_keeps_the_order(client: Client) -> None:
    html = page(signed_in(client, a_class()), "?sort=-best")
    assert '<input type="hidden" form="filters" name="sort" value="-best" />' in html
    assert 'form="filters"' not in page(client)


def test_more_than_a_hundred_students_come_in_pages(client: Client) -> None:
    course = a_course()
    an_assignment(course)
    enrolled(course, "assistant", Role.ASSISTANT)
    for number in range(101):
        enrolled(course, f"s{number:03}")
    signed_in(client, course)
    first, second = page(client), page(client, "?page=2")
    assert len(names(first)) == 100
    assert names(second) == ["s100"]
    assert "1–100 of 101 students" in re.sub(r"\s+", " ", first)
    assert 'href="?page=2"' in first


def test_who_left_the_course_and_who_teaches_it_is_not_a_student(client: Client) -> None:
    course = a_class()
    course.enrolments.filter(user__username="bea").update(active=False)
    assert names(page(signed_in(client, course))) == ["ada", "cyd", "dee", "eva"]


def test_a_score_is_a_decimal_without_trailing_zeros(client: Client) -> None:
    course = a_course()
    student = enrolled(course, "ada")
    enrolled(course, "assistant", Role.ASSISTANT)
    a_graded_attempt(
        a_submission(student, an_assignment(course)), score=Decimal("7.500"), max_score=10
    )
    assert re.search(r"7\.5 +/ 10 ", row_of(page(signed_in(client, course)), "ada"))
