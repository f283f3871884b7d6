"""Hostile text in a report changes no page's structure: it may only be read, by students and by staff.

A page is rendered with plain words in every field that student code can fill, then with hostile ones: both
must have the same elements with the same attributes, whatever the text is. So nothing depends on a list
of what is dangerous.
"""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from campus.submissions.models import Submission
from grader.api import Verdict
from tests.web.staff.builders import (
    a_course,
    a_graded_attempt,
    a_submission,
    an_assignment,
    enrolled,
)
from tests.web.staff.test_one_submission import html_of

pytestmark = pytest.mark.django_db
HOSTILE = {
    "a script": "</code></pre></samp><script>alert(1)</script>",
    "a picture": "<img src=x onerror=alert(1)>",
    "a drawing": '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>',
    "an attribute": 'x" onclick="alert(1)" x=\'',
    "an address": "javascript:alert(1)",
    "a style": "</style><style>*{display:none}</style>",
    "code in a sentence": "`</code><script>alert(1)</script>` `",
    "a template": "{{ 7|add:7 }}{% debug %}{# x #}${7*7}",
    "an entity": "&lt;script&gt;&#60;script&#62;",
    "markup of another page": "<template><hx-get='/x'><div hx-get=/logout hx-trigger=load>",
    "a terminal": "\x1b]0;x\x07\x1b[31;1mpassed\x1b[0m\x9b2J",
    "reversed text": "\u202e10 fo 01\u202c\u2066",
    "a comment": "--><!--<script>-->",
    "TeX": "$\\href{javascript:alert(1)}{x}$ \\(x\\)",
}


class Structure(HTMLParser):
    """Every element with its attributes' names; text and values that only repeat text are left out."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action")]  # fmt: skip

    def handle_comment(self, data: str) -> None:
        self.elements.append(("comment", ()))


def say(submission: Submission, text: str) -> None:
    """Put a text into every field of the report that student code can fill."""
    frame = {"cell": text[:100], "line": 1, "source": text, "function": text[:200]}
    exception: dict[str, Any] = {"type": text[:200], "text": text, "trace": [frame]}
    cells = [{"cell": "double", "ended": "error", "exception": exception, "seconds": 1}]
    flags = [{"kind": "forbidden", "text": text, "cell": text[:100], "line": 1}]
    submission.attempts.update(report={"cells": cells, "notebook_stdout": text, "flags": flags})
    attempt = submission.attempts.get()
    told = {
        "message": text,
        "difference": {"path": text, "got": text, "expected": text, "relative_error": None},
        "inputs": text,
        "stdout": text,
        "exception": exception,
        "hint": text,
        "mistake": text[:100],
        "timeline": [
            {
                "rank": 0,
                "spans": [
                    {"kind": f"mark {text}"[:24], "start": 0.0, "end": 0.0},
                    {"kind": text[:24], "start": 0.0, "end": 1.0, "waited": 1.0},
                ],
                "error": text,
            }
        ],
    }
    detail = attempt.results.get(check_name="doubles").detail
    attempt.results.filter(check_name="doubles").update(detail={**detail, **told})


def students_page(client: Client, submission: Submission) -> str:
    client.force_login(submission.enrolment.user)
    course = submission.assignment.course.slug
    answer = client.get(f"/courses/{course}/submissions/{submission.pk}/")
    assert answer.status_code == 200
    html = answer.content.decode()
    assert html.count("data-verdict") > 1
    return html


@pytest.mark.parametrize("reader", ["student", "staff"])
@pytest.mark.parametrize("what", HOSTILE)
def test_text_is_text_on_every_page(client: Client, what: str, reader: str) -> None:
    page = students_page if reader == "student" else html_of
    course = a_course()
    submission = a_submission(enrolled(course, "pupil"), an_assignment(course))
    a_graded_attempt(submission, {"doubles": Verdict.FAILED})
    say(submission, "plain words")
    plain = Structure(page(client, submission))
    say(submission, HOSTILE[what])
    html = page(client, submission)
    hostile = Structure(html)
    assert hostile.elements == plain.elements
    assert not [each for each in hostile.addresses if each.strip().lower().startswith("javascript")]
    if reader == "staff":
        assert not set(html) & {"\x1b", "\x07", "\x9b", "\u202e", "\u2066"}
