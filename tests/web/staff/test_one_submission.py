"""One submission as staff read it."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client

from campus.courses.models import Course, Enrolment, Role
from campus.gradebook.models import ScoreEntry
from campus.submissions.models import Attempt, Submission
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
ANSWERS = {
    "double": "def double(x):\n    return x + x",
    "halve": "def halve(x):\n    return x // 2",
}


def a_pupil(course: Course) -> Enrolment:
    return enrolled(course, "pupil")


def html_of(client: Client, submission: Submission, query: str = "") -> str:
    course = submission.assignment.course
    if not course.enrolments.filter(user__username="assistant").exists():
        enrolled(course, "assistant", Role.ASSISTANT)
    client.force_login(course.enrolments.get(user__username="assistant").user)
    answer = client.get(f"/courses/{course.slug}/staff/submissions/{submission.pk}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def words(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)))


def test_the_notebook_is_shown_with_the_students_code_and_the_labs_prose(client: Client) -> None:
    course = a_course()
    submission = a_submission(a_pupil(course), an_assignment(course), answers=ANSWERS)
    a_graded_attempt(submission)
    html = html_of(client, submission)
    assert "return x + x" in html
    assert "<strong>two</strong>" in html
    assert 'data-maths="inline"' in html
    assert re.search(r'id="cell-double"\s+data-role="exercise"', html)
    assert re.search(r'id="cell-imports"\s+data-role="setup"', html)


def test_an_answer_that_is_still_the_starter_is_marked(client: Client) -> None:
    course = a_course()
    submission = a_submission(
        a_pupil(course), an_assignment(course), answers={"halve": ANSWERS["halve"]}
    )
    a_graded_attempt(submission)
    assert html_of(client, submission).count("still the starter") == 1


def test_a_verdict_is_shown_with_everything_the_grader_reported_also_of_a_hidden_check(
    client: Client,
) -> None:
    course = a_course()
    submission = a_submission(a_pupil(course), an_assignment(course), answers=ANSWERS)
    a_graded_attempt(
        submission,
        {"halves_zero": Verdict.FAILED, "halves": Verdict.ERROR},
        {
            "halves_zero": {
                "message": "differs in the third element",
                "hint": "think of nothing",
                "difference": {
                    "path": "y[2]",
                    "got": "1.5",
                    "expected": "2.5",
                    "relative_error": 0.4,
                },
                "inputs": "x = np.array([1.0, 2.0])",
                "stdout": "printed by the student",
                "trials": 3,
                "trials_passed": 1,
                "seconds": 0.25,
            },
            "halves": {
                "exception": {
                    "type": "ZeroDivisionError",
                    "text": "division by zero",
                    "trace": [
                        {"cell": "halve", "line": 2, "source": "return x // 0", "function": "halve"}
                    ],
                }
            },
        },
    )
    text = words(html_of(client, submission))
    for piece in (
        "differs in the third element",
        "think of nothing",
        "y[2]",
        "1.5",
        "2.5",
        "Relative error",
        "x = np.array([1.0, 2.0])",
        "printed by the student",
        "1 of 3 trials · 0.25 s",
        "ZeroDivisionError: division by zero",
        "halve, line 2",
        "return x // 0",
        "hidden from students",
    ):
        assert piece in text, piece
    assert 'href="#cell-halve"' in html_of(client, submission)


def test_the_checks_stand_under_the_cell_that_asks_for_them(client: Client) -> None:
    course = a_course()
    submission = a_submission(a_pupil(course), an_assignment(course))
    a_graded_attempt(submission)
    html = html_of(client, submission)
    places = [
        html.index(f'id="{anchor}"')
        for anchor in (
            "cell-double",
            "check-doubles",
            "cell-halve",
            "check-halves",
            "check-halves_zero",
        )
    ]
    assert places == sorted(places)


def test_how_a_cell_ended_is_shown_at_the_cell(client: Client) -> None:
    course = a_course()
    submission = a_submission(a_pupil(course), an_assignment(course))
    exception = {"type": "NameError", "text": "name 'q' is not defined", "trace": []}
    a_graded_attempt(
        submission,
        {"doubles": Verdict.NOT_REACHED},
        report={
            "cells": [
                {"cell": "double", "ended": "error", "exception": exception, "seconds": 0.5},
                {"cell": "halve", "ended": "not_run", "exception": None, "seconds": 0.0},
            ],
            "notebook_stdout": "hello from the notebook",
            "seconds": 1.5,
            "stages": {"fork": 0.03, "checks": 1.2},
        },
    )
    text = words(html_of(client, submission))
    for piece in (
        "NameError: name 'q' is not defined",
        "Not run",
        "hello from the notebook",
        "fork 30 ms",
        "checks 1.20 s",
        "Together 1.50 s",
    ):
        assert piece in text, piece


def test_a_report_or_result_in_an_older_form_is_shown_as_it_came(client: Client) -> None:
    course = a_course()
    submission = a_submission(a_pupil(course), an_assignment(course))
    attempt = a_graded_attempt(submission, report={"cells": "none", "stages": [1], "seconds": "x"})
    attempt.results.filter(check_name="doubles").update(detail={"verdict": "splendid"})
    assert '"verdict": "splendid"' in words(html_of(client, submission))


def test_every_attempt_is_listed_and_can_be_looked_at(client: Client) -> None:
    course = a_course()
    submission = a_submission(a_pupil(course), an_assignment(course))
    a_graded_attempt(submission, {"doubles": Verdict.FAILED}, worker_name="old/0", unsafe=True)
    a_graded_attempt(
        submission,
        purpose=Attempt.Purpose.REGRADE,
        worker_name="new/1",
        claimed_at=NOW,
        finished_at=NOW + timedelta(seconds=2),
    )
    newest, first = html_of(client, submission), html_of(client, submission, "?attempt=1")
    for html in (newest, first):
        assert "old/0" in html
        assert "new/1" in html
        assert "regrade" in html
    assert "10 <span" in newest.split("review__score")[1][:80]
    assert "6 <span" in first.split("review__score")[1][:80]
    assert "Graded without a sandbox" in first
    assert "Graded without a sandbox" not in newest


def test_the_ledger_says_who_when_why_from_and_to(client: Client) -> None:
    course = a_course()
    submission = a_submission(a_pupil(course), an_assignment(course))
    attempt = a_graded_attempt(submission, {"doubles": Verdict.FAILED})
    an_entry(attempt)
    html_of(client, submission)
    teacher = enrolled(course, "teacher", Role.INSTRUCTOR)
    ScoreEntry.objects.create(
        enrolment=submission.enrolment,
        assignment=submission.assignment,
        author=teacher.user,
        reason="Answered on paper <b>too</b>",
        score_before=6,
        score_after="7.5",
        max_score=10,
        created_at=NOW + timedelta(days=1),
    )
    html = html_of(client, submission)
    assert "Answered on paper &lt;b&gt;too&lt;/b&gt;" in html
    text = words(html)
    assert "the grader" in text
    assert re.search(r"6 7\.5 / 10 teacher", text)


def test_the_receipts_data_are_shown(client: Client) -> None:
    course = a_course()
    submission = a_submission(a_pupil(course), an_assignment(course))
    an_attempt(submission)
    text = words(html_of(client, submission))
    assert f"sha256 {submission.sha256}" in text
    assert "student pupil" in text


def test_the_students_other_submissions_are_one_click_away(client: Client) -> None:
    course = a_course()
    pupil, assignment = a_pupil(course), an_assignment(course)
    first = a_submission(pupil, assignment)
    a_graded_attempt(first)
    second = a_submission(pupil, assignment, at=DUE + timedelta(hours=1))
    an_attempt(second)
    html = html_of(client, second)
    assert f"/staff/submissions/{first.pk}/" in html
    assert "submission 2 of 2" in words(html)
    assert "late" in words(html)


def test_a_submission_that_waits_or_failed_on_our_side_says_so(client: Client) -> None:
    course = a_course()
    submission = a_submission(a_pupil(course), an_assignment(course))
    attempt = an_attempt(submission)
    assert "Not graded yet" in html_of(client, submission)
    Attempt.objects.filter(pk=attempt.pk).update(
        state="done", outcome="internal_error", failure="disk <full>", reference_number="r1"
    )
    html = html_of(client, submission)
    assert "Grading failed on our side" in html
    assert "disk &lt;full&gt;" in html


def test_a_stored_text_that_is_no_notebook_is_shown_as_text(client: Client) -> None:
    course = a_course()
    submission = a_submission(
        a_pupil(course), an_assignment(course), notebook="<script>alert(1)</script>"
    )
    an_attempt(submission)
    html = html_of(client, submission)
    assert "This text is no notebook" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


EVIL = "</code></pre><script>alert('x')</script><img src=x onerror=alert(1)>"


def test_nothing_that_a_student_wrote_or_printed_becomes_markup(client: Client) -> None:
    course = a_course()
    answers = {"double": f"# {EVIL}\ndef double(x):\n    return '{EVIL}'"}
    submission = a_submission(a_pupil(course), an_assignment(course), answers=answers)
    frame = {"cell": f'x" onclick="{EVIL}', "line": 1, "source": EVIL, "function": EVIL}
    exception = {"type": EVIL, "text": EVIL, "trace": [frame]}
    everything = {
        "title": EVIL,
        "message": EVIL,
        "hint": EVIL,
        "difference": {"path": EVIL, "got": EVIL, "expected": EVIL},
        "inputs": EVIL,
        "stdout": EVIL,
        "exception": exception,
    }
    attempt = a_graded_attempt(
        submission,
        {"doubles": Verdict.FAILED},
        report={
            "cells": [{"cell": "double", "ended": "error", "exception": exception, "seconds": 1}],
            "notebook_stdout": EVIL,
            "stages": {EVIL: 1.0},
        },
        worker_name=EVIL[:100],
        wall=EVIL[:40],
        failure=EVIL,
        reference_number=EVIL[:40],
    )
    detail = {**attempt.results.get(check_name="doubles").detail, **everything}
    attempt.results.filter(check_name="doubles").update(detail=detail)
    an_entry(attempt, reason=EVIL)
    for page in (
        html_of(client, submission),
        client.get("/courses/steps-2025/staff/").content.decode(),
    ):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'onclick="' not in page
    assert "&lt;script&gt;alert" in html_of(client, submission)


def test_prose_of_a_notebook_goes_through_the_sanitiser(client: Client) -> None:
    course = a_course()
    prose = (
        "# Hi\n<script>alert(1)</script> [go](javascript:alert(1)) **bold** "
        "![a](https://elsewhere.example/x.png) ![b](figures/graph.svg) ![c](../../../accounts/logout/)"
    )
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": prose}],
    }
    submission = a_submission(a_pupil(course), an_assignment(course), notebook=json.dumps(document))
    an_attempt(submission)
    html = html_of(client, submission)
    assert "<strong>bold</strong>" in html
    assert "<script>alert" not in html
    assert 'href="javascript' not in html
    figures = "/courses/steps-2025/labs/steps/figures/"
    sources = re.findall(r'<img[^>]* src="([^"]*)"', html)
    assert len(sources) == 3
    assert all(source.startswith(figures) for source in sources)
    assert f"{figures}graph.svg" in sources


def test_characters_that_reorder_or_hide_code_are_drawn(client: Client) -> None:
    course = a_course()
    answers = {"double": "x = 1 # \u202e gnihton \u2066\x1b[31m\u200b"}
    submission = a_submission(a_pupil(course), an_assignment(course), answers=answers)
    an_attempt(submission)
    html = html_of(client, submission)
    assert "⟦U+202E⟧ gnihton ⟦U+2066⟧␛[31m⟦U+200B⟧" in html
    assert "\u202e" not in html
