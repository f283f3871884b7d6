"""A lab on several ranks from hand-in to page: really graded, and drawn for students and for staff."""

import json
import uuid
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from campus.assignments.models import Assignment
from campus.submissions import lease
from campus.submissions.models import Submission
from campus.submissions.submit import submit_notebook
from grader.protocol import GradingRequest
from grader.runner import grade
from grader.sandbox import open_sandbox
from labs.catalog import get_lab
from tests.cast import HOLDER, NOW, SECOND, Cast

pytestmark = pytest.mark.django_db
DEADLOCK = "Deadlock: rank 0 waits in send to 1; rank 1 waits in send to 0."
ANSWERS = {
    "ring": "def ring_sum(x, comm):\n    comm.mark('<b>ring</b>')\n    raise ValueError('<i>no</i>')",
    "mean": "def mean(x, comm):\n    comm.mark('secret' + ' mark')\n    return comm.all_reduce(x, 'sum')",
    "exchange": "def swap(x, comm):\n    comm.send(x, 1 - comm.rank)\n    return comm.recv(1 - comm.rank)",
}


class Figures(HTMLParser):
    """The text of every drawing of a page, and the kinds of its bars."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.depth, self.texts, self.kinds = 0, [""], []  # type: ignore[var-annotated]
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag == "figure"
        if self.depth and tag == "rect":
            self.kinds.append(dict(attrs)["data-kind"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "figure":
            self.depth -= 1
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.texts[-1] += data


@pytest.fixture
def graded(cast: Cast) -> Submission:
    """Answers that fail in three ways: one rank raises, a wrong mean, two ranks that both send first."""
    assignment = Assignment.objects.create(
        course=cast.course,
        slug="talk",
        title="A lab of ranks",
        kind=Assignment.Kind.LAB,
        lab="talk",
        release_at=NOW - timedelta(days=7),
    )
    submission = submit_notebook(
        enrolment=cast.enrolment(cast.student),
        assignment=assignment,
        answers=ANSWERS,
        idempotency_key=uuid.uuid4().hex,
        now=NOW,
    ).submission
    lab = get_lab("talk")
    claimed = lease.claim(
        labs={"talk": lab.content_hash}, capabilities=["cpu"], holder=HOLDER, now=NOW + SECOND
    )
    assert claimed is not None
    sandbox = open_sandbox()
    try:
        request = GradingRequest(
            attempt=str(claimed.attempt.pk),
            lab="talk",
            lab_hash=lab.content_hash,
            submission_sha256=submission.sha256,
            seed="0" * 64,
            notebook=submission.notebook,
        )
        report = grade(request, sandbox=sandbox, lab=lab)
    finally:
        sandbox.close()
    lease.finish(
        attempt_id=claimed.attempt.pk,
        lease_token=claimed.lease_token,
        report=report,
        lab=lab,
        now=NOW + 2 * SECOND,
    )
    return submission


def page(cast: Cast, client: Client, submission: Submission, name: str = "detail") -> str:
    client.force_login(cast.student)
    answer = client.get(reverse(f"submissions:{name}", args=[cast.course.slug, submission.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_students_and_staff_see_what_each_rank_did(
    cast: Cast, client: Client, graded: Submission
) -> None:
    html = page(cast, client, graded)
    raised, hung = Figures(html).texts[:2]
    assert DEADLOCK in html
    assert "Rank × time: 2 ranks over" in hung
    assert hung.count("still waits") == 2
    assert {"compute", "send"} <= set(Figures(html).kinds)
    assert "rank 0failed" in raised  # which of them raised stands in its lane
    assert "mark: <b>ring</b>" in raised
    assert "<b>ring" not in html
    assert "<i>no" not in html
    client.force_login(cast.assistant)
    staff = client.get(f"/courses/{cast.course.slug}/staff/submissions/{graded.pk}/")
    figures = Figures(staff.content.decode())
    assert len([text for text in figures.texts if text.strip()]) == 3  # of the hidden check, too
    assert any("secret mark" in text and "all_reduce" in text for text in figures.texts)


def test_of_a_hidden_check_no_student_sees_what_its_ranks_did(
    cast: Cast, client: Client, graded: Submission
) -> None:
    for name in ("detail", "status", "feedback"):
        assert "secret mark" not in page(cast, client, graded, name), name
    results = json.loads(page(cast, client, graded, "status"))["results"]
    [hidden] = [result for result in results if result["hidden"]]
    assert hidden["verdict"] == "failed"
    assert "drawing" not in hidden
    assert hidden["timeline"] == []


def test_the_workbench_is_sent_the_drawing_that_the_page_has(
    cast: Cast, client: Client, graded: Submission
) -> None:
    results = json.loads(page(cast, client, graded, "status"))["results"]
    drawn = {result["check"]: result["drawing"] for result in results if "drawing" in result}
    assert drawn.keys() == {"ring", "swaps"}
    bars = [bar["kind"] for drawing in drawn.values() for bar in drawing["bars"]]
    legend = [kind for drawing in drawn.values() for kind, _ in drawing["legend"] if kind != "mark"]
    assert sorted(Figures(page(cast, client, graded)).kinds) == sorted(bars + legend)
    assert [lane["state"] for lane in drawn["swaps"]["lanes"]] == ["still waits", "still waits"]
