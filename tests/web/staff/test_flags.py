"""Flags: what a human should look at. Staff find them, students never do, and no score knows them."""

import pytest
from django.test import Client

from campus.courses.models import Role
from campus.submissions.models import Submission
from grader.api import GradingReport, Verdict
from tests.web.staff.builders import (
    a_course,
    a_graded_attempt,
    a_submission,
    an_assignment,
    enrolled,
)
from tests.web.staff.test_one_submission import html_of, words

pytestmark = pytest.mark.django_db
FLAGS = [
    {"kind": "forbidden", "text": "uses numpy.einsum", "cell": "double", "line": 2},
    {"kind": "tracer", "text": "the tracer saw <b>3</b> calls", "cell": "gone", "line": 0},
]


def flagged(flags: object = FLAGS) -> Submission:
    course = a_course()
    submission = a_submission(enrolled(course, "pupil"), an_assignment(course))
    report = GradingReport(
        attempt="attempt",
        lab="steps",
        lab_hash=submission.lab_hash,
        submission_sha256=submission.sha256,
    ).model_dump(mode="json", exclude={"results"})
    a_graded_attempt(submission, report={**report, "flags": flags})
    return submission


def listing(client: Client, submission: Submission) -> str:
    course = submission.assignment.course
    client.force_login(enrolled(course, "another", Role.ASSISTANT).user)
    return client.get(f"/courses/{course.slug}/staff/steps/").content.decode()


def test_a_flag_stands_above_the_notebook_and_leads_to_its_cell(client: Client) -> None:
    html = html_of(client, flagged())
    assert "2 things to look at" in html
    assert '<a href="#cell-double">double, line 2</a>' in html
    assert 'id="cell-double"' in html
    assert "#cell-gone" not in html  # a cell that is not shown is named, and leads nowhere
    assert "<b>3</b>" not in html
    assert "changes no score" in words(html)
    assert html.count('href="#flags"') == 2  # from the side, and from the flagged cell


def test_the_list_of_submissions_counts_them(client: Client) -> None:
    html = listing(client, flagged())
    assert "2 flags</a>" in html
    assert "10 <span" in html  # all points, whatever is flagged


@pytest.mark.parametrize("stored", [None, [], "x", [{"kind": "NOT A KIND"}, 7], {"a": 1}])
def test_what_is_no_flag_is_not_shown(client: Client, stored: object) -> None:
    assert "to look at" not in html_of(client, flagged(stored))


def test_students_see_nothing_of_flags(client: Client) -> None:
    submission = flagged()
    client.force_login(submission.enrolment.user)
    root = f"/courses/{submission.assignment.course.slug}/submissions/{submission.pk}/"
    for page in ("", "status/", "feedback/"):
        answer = client.get(root + page)
        assert answer.status_code == 200
        assert "einsum" not in answer.content.decode()
        assert "flag" not in words(answer.content.decode())


def test_graded_without_a_wall_is_said_to_students_and_staff(client: Client) -> None:
    submission = flagged([])
    submission.attempts.update(wall="none", unsafe=True)
    assert "Graded without a sandbox" in html_of(client, submission)
    client.force_login(submission.enrolment.user)
    root = f"/courses/{submission.assignment.course.slug}/submissions/{submission.pk}/"
    assert "Graded without a sandbox" in client.get(root).content.decode()


def test_staff_read_the_file_of_a_known_mistake_and_what_students_read_of_it(
    client: Client,
) -> None:
    course = a_course()
    submission = a_submission(enrolled(course, "pupil"), an_assignment(course))
    named = {"mistake": "rounds_down", "hint": "Divide, and do not round."}
    failed = dict.fromkeys(("halves", "halves_zero"), Verdict.FAILED)
    a_graded_attempt(submission, failed, dict.fromkeys(failed, named))
    html = html_of(client, submission)
    assert html.count("wrong/rounds_down.py") == 2
    assert html.count("(students read the hint alone)") == 1
    client.force_login(submission.enrolment.user)
    own = client.get(f"/courses/{course.slug}/submissions/{submission.pk}/").content.decode()
    assert "rounds_down" not in own
    assert own.count("This looks like a known mistake:") == 1  # not of the hidden check
    assert own.count("Divide, and do not round.") == 2
