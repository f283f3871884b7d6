"""The numbers, the pictures and the news of the staff's first page."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from campus.courses.models import Course, Role
from campus.gradebook.overview import assignment_numbers, check_outcomes, focus_on
from campus.schedule.models import CourseImport
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
    an_entry,
    enrolled,
)

pytestmark = pytest.mark.django_db


def signed_in(client: Client, course: Course) -> Client:
    client.force_login(enrolled(course, "assistant", Role.ASSISTANT).user)
    return client


def text_of(client: Client, course: Course, query: str = "") -> str:
    answer = client.get(f"/courses/{course.slug}/staff/{query}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def test_each_student_is_counted_once_by_the_newest_submission() -> None:
    course = a_course()
    assignment = an_assignment(course)
    ada, bea, cyd, _ = (enrolled(course, name) for name in ("ada", "bea", "cyd", "dee"))
    a_graded_attempt(a_submission(ada, assignment))
    an_attempt(a_submission(ada, assignment, at=DUE + timedelta(minutes=1)))
    a_graded_attempt(a_submission(bea, assignment, at=DUE))
    an_attempt(
        a_submission(cyd, assignment),
        state=Attempt.State.DONE,
        outcome=Attempt.Outcome.INTERNAL_ERROR,
    )
    (numbers,) = assignment_numbers(course)
    assert (numbers.enrolled, numbers.submitted, numbers.missing) == (4, 3, 1)
    assert (numbers.graded, numbers.waiting, numbers.running, numbers.ours) == (1, 1, 0, 1)
    assert numbers.late == 1


def test_without_a_due_date_nobody_is_late() -> None:
    course = a_course()
    assignment = an_assignment(course, due_at=None)
    a_graded_attempt(a_submission(enrolled(course, "ada"), assignment))
    assert assignment_numbers(course)[0].late == 0


def test_what_the_staff_try_themselves_is_not_counted_but_is_in_the_news(client: Client) -> None:
    course = a_course()
    assignment = an_assignment(course)
    teacher = enrolled(course, "teacher", Role.INSTRUCTOR)
    an_entry(a_graded_attempt(a_submission(teacher, assignment)))
    assert assignment_numbers(course)[0].submitted == 0
    assert focus_on(assignment).scores.count == 0
    assert all(check.bar.total == 0 for check in check_outcomes(assignment))
    assert "teacher" in text_of(signed_in(client, course), course)


def test_the_histogram_shows_the_score_that_the_ledger_says_counts() -> None:
    course = a_course()
    assignment = an_assignment(course)
    for name, scores in {"ada": (10, 4), "bea": (6,)}.items():
        student = enrolled(course, name)
        for number, score in enumerate(scores):
            at = NOW + timedelta(hours=number)
            attempt = a_graded_attempt(a_submission(student, assignment, at=at), score=score)
            an_entry(attempt, score_after=Decimal(score))
    scores = focus_on(assignment).scores
    assert scores.count == 2
    assert scores.median == 5
    assert [bin_.count for bin_ in scores.bins] == [0, 0, 0, 0, 1, 0, 1, 0, 0, 0]


def test_the_check_that_fewest_pass_is_named(client: Client) -> None:
    course = a_course()
    assignment = an_assignment(course)
    for name, verdict in {"ada": Verdict.FAILED, "bea": Verdict.TIMED_OUT}.items():
        submission = a_submission(enrolled(course, name), assignment)
        a_graded_attempt(submission, {"halves": verdict, "halves_zero": Verdict.NOT_REACHED})
    a_graded_attempt(a_submission(enrolled(course, "cyd"), assignment))
    outcomes = {check.name: check for check in check_outcomes(assignment)}
    assert [(part.outcome, part.count) for part in outcomes["halves"].bar.parts] == [
        ("passed", 1),
        ("failed", 1),
        ("error", 1),
        ("not_reached", 0),
        ("internal_error", 0),
    ]
    assert outcomes["doubles"].bar.passed_share == 1
    assert "Fewest pass E2 “Half as much.”: 1 of 3." in text_of(signed_in(client, course), course)


def test_our_failures_are_listed_with_reference_also_when_a_retry_mended_them(
    client: Client,
) -> None:
    course = a_course()
    assignment = an_assignment(course)
    an_attempt(
        a_submission(enrolled(course, "ada"), assignment),
        state=Attempt.State.DONE,
        outcome=Attempt.Outcome.INTERNAL_ERROR,
        failure="the zygote ended",
        reference_number="abc123",
        internal_errors=3,
        finished_at=NOW,
    )
    a_graded_attempt(a_submission(enrolled(course, "bea"), assignment), internal_errors=1)
    text = text_of(signed_in(client, course), course)
    assert "the zygote ended" in text
    assert "reference abc123" in text
    assert "Mended by a retry" in text


def test_an_empty_course_says_what_comes_next(client: Client) -> None:
    course = a_course()
    text = text_of(signed_in(client, course), course)
    assert "No assignments yet" in text
    assert "Nothing has been handed in yet" in text


def test_an_assignment_whose_lab_cannot_be_read_still_has_its_numbers(client: Client) -> None:
    course = a_course()
    assignment = an_assignment(course, lab="gone")
    a_graded_attempt(a_submission(enrolled(course, "ada"), assignment))
    text = text_of(signed_in(client, course), course)
    assert "1 of 1" in text
    assert "halves_zero" in text


def test_another_assignment_can_be_looked_at_and_htmx_gets_only_that_part(client: Client) -> None:
    course = a_course()
    an_assignment(course, "first", title="First lab")
    second = an_assignment(course, "second", title="Second lab")
    an_attempt(a_submission(enrolled(course, "ada"), second))
    signed_in(client, course)
    assert (
        'value="second" selected' in client.get(f"/courses/{course.slug}/staff/").content.decode()
    )
    part = client.get(
        f"/courses/{course.slug}/staff/?show=first", headers={"HX-Request": "true"}
    ).content.decode()
    assert part.strip().startswith('<div id="below"')
    assert 'value="first" selected' in part


def test_what_was_decided_against_the_course_page_is_shown(client: Client) -> None:
    course = a_course()
    CourseImport.objects.create(
        course=course,
        sha256="0" * 64,
        page="# page",
        choices={"homework4.due": "2025-04-30"},
        changes=["+ Homework 4: due 2025-04-30"],
    )
    text = text_of(signed_in(client, course), course)
    assert "homework4.due is 2025-04-30" in text
    assert "+ Homework 4: due 2025-04-30" in text
