"""A classic notebook from hand-in to score: really graded, and marked as its own judge where it is read."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from campus.assignments.models import Assignment
from campus.submissions import lease
from campus.submissions.models import Submission
from campus.submissions.submit import submit_notebook
from grader.gradebook import read_gradebook
from grader.protocol import GradingRequest
from grader.runner import grade
from grader.sandbox import open_sandbox
from labs.catalog import get_lab
from tests.cast import HOLDER, NOW, SECOND, Cast

CLASSIC = Path(__file__).resolve().parents[2] / "fixtures" / "classic"
MARK = "Graded by the notebook itself"


@pytest.fixture
def graded(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Submission:
    """The student's submission, with some of one cell's points."""
    monkeypatch.setenv("GRADUS_LABS_PATH", str(CLASSIC))
    assignment = Assignment.objects.create(
        course=cast.course,
        slug="sums",
        title="Sums and means",
        kind=Assignment.Kind.LAB,
        lab="sums",
        release_at=NOW - timedelta(days=7),
    )
    submission = submit_notebook(
        enrolment=cast.enrolment(cast.student),
        assignment=assignment,
        answers={"mean": "def mean(xs):\n    return 1.0", "words": "With <b>outliers</b>."},
        idempotency_key=uuid.uuid4().hex,
        now=NOW,
    ).submission
    lab = get_lab("sums")
    claimed = lease.claim(
        labs={"sums": lab.content_hash}, capabilities=["cpu"], holder=HOLDER, now=NOW + SECOND
    )
    assert claimed is not None
    sandbox = open_sandbox()
    try:
        report = grade(
            GradingRequest(
                attempt=str(claimed.attempt.pk),
                lab="sums",
                lab_hash=lab.content_hash,
                submission_sha256=submission.sha256,
                seed="0" * 64,
                notebook=submission.notebook,
            ),
            sandbox=sandbox,
            lab=lab,
        )
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


def address(cast: Cast, submission: Submission, page: str = "") -> str:
    return f"/courses/{cast.course.slug}/submissions/{submission.pk}/{page}"


def test_part_of_a_cells_points_counts(graded: Submission) -> None:
    attempt = graded.attempts.get()
    assert (attempt.score, attempt.max_score) == (1, 10)


def test_student_and_staff_read_who_graded_it_and_what_waits(
    cast: Cast, client: Client, graded: Submission
) -> None:
    client.force_login(cast.student)
    page = client.get(address(cast, graded)).content.decode()
    assert MARK in page
    assert "Waiting for a human" in page
    assert "In words" in page
    client.force_login(cast.assistant)
    staff = f"/courses/{cast.course.slug}/staff/"
    assert MARK in client.get(f"{staff}submissions/{graded.pk}/").content.decode()
    for listing in ("", "sums/"):
        assert "graded by the notebook itself" in client.get(staff + listing).content.decode()
    lab_page = client.get(f"/courses/{cast.course.slug}/labs/sums/").content.decode()
    assert "the notebook itself" in lab_page
    assert "secret eleven" not in lab_page


def test_the_feedback_file_says_the_same_and_interprets_nothing(
    cast: Cast, client: Client, graded: Submission
) -> None:
    client.force_login(cast.student)
    answer = client.get(address(cast, graded, "feedback/"))
    text = answer.content.decode()
    assert MARK in text
    assert "1 of 4 points" in text
    assert "<b>outliers" not in text
    assert "seven and nine" not in text
    assert "attachment" in answer["Content-Disposition"]
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("who", ["outsider", "nobody"])
def test_others_get_404_for_the_feedback_file(
    cast: Cast, client: Client, graded: Submission, who: str
) -> None:
    if who == "outsider":
        client.force_login(cast.outsider)
    assert client.get(address(cast, graded, "feedback/")).status_code == 404


def test_nbgraders_gradebook_of_the_course_has_every_cells_points(
    cast: Cast, client: Client, graded: Submission, tmp_path: Path
) -> None:
    export = f"/courses/{cast.course.slug}/staff/export/gradebook.db"
    client.force_login(cast.student)
    assert client.get(export).status_code == 404
    client.force_login(cast.outsider)
    assert client.get(export).status_code == 404
    client.force_login(cast.assistant)
    (tmp_path / "gradebook.db").write_bytes(client.get(export).content)
    book = read_gradebook(tmp_path / "gradebook.db")
    assert [student.id for student in book.students] == ["student"]
    (submission,) = book.submissions
    assert (submission.assignment, submission.student, submission.score) == ("sums", "student", 1)
    assert {g.cell for g in submission.grades if g.needs_manual_grade} == {"words", "drawing"}
    assert graded.submitted_at == submission.submitted_at
