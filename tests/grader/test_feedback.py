"""Feedback files: every verdict in its place, nothing interpreted, nothing of hidden checks."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import nbformat
import pytest

from grader.feedback import feedback_html, feedback_notebook
from grader.notebook import reference_answers
from grader.protocol import CheckResult, ExceptionInfo, GradingReport, TraceLine, Verdict
from grader.sandbox.base import Sandbox
from labs.catalog import read_lab, student_notebook
from tests.grader.classic_desk import SUMS, ClassicDesk
from tests.grader.grading_desk import TINY, Desk

EVIL = (
    "<script>alert(1)</script> ``` ```` | [x](javascript:alert(1)) ![i](https://example.org/p.png)"
)
TINY_LAB = read_lab(TINY)


def report_with(text: str) -> GradingReport:
    return GradingReport(
        attempt="a",
        lab="tiny",
        lab_hash="0" * 64,
        submission_sha256="0" * 64,
        score=Decimal(3),
        max_score=Decimal(10),
        results=tuple(
            CheckResult(
                check=check.name,
                exercise=check.exercise,
                title=check.title,
                verdict=Verdict.ERROR,
                points=Decimal(0),
                max_points=check.points,
                hidden=check.hidden,
                message=text,
                inputs=f"x = {text!r}",
                stdout=text,
                hint=f"hint of {check.name}",
                exception=ExceptionInfo(
                    type="ValueError",
                    text=text,
                    trace=(TraceLine(cell="double", line=2, source=text),),
                ),
            )
            for check in TINY_LAB.checks
        ),
    )


def test_whatever_a_student_wrote_is_text_in_the_page() -> None:
    answers = reference_answers(TINY_LAB) | {"double": EVIL}
    page = feedback_html(TINY_LAB, answers, report_with(EVIL))
    assert "<script" not in page
    assert "<img" not in page
    assert "href" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "default-src 'none'" in page


def test_whatever_a_student_wrote_stays_in_its_fence_in_the_notebook() -> None:
    content = feedback_notebook(TINY_LAB, {}, report_with(EVIL))
    notebook = nbformat.reads(content.decode(), 4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.id.startswith("feedback-"):
            fence = cell.source.split("\n")[0]
            assert set(fence) == {"`"}
            assert cell.source.endswith(fence)
            assert fence not in cell.source[len(fence) : -len(fence)]


@pytest.mark.parametrize("make", [feedback_html, feedback_notebook])
def test_a_hidden_check_tells_its_hint_and_the_kind_of_its_exception_alone(make: object) -> None:
    assert callable(make)
    told = make(TINY_LAB, {}, report_with("PRIVATE"))
    text = told.decode() if isinstance(told, bytes) else told
    visible = sum(1 for check in TINY_LAB.checks if not check.hidden)
    assert text.count("Printed:") == visible
    assert "hint of totals_hidden" in text
    assert "ValueError" in text
    only_hidden = report_with("PRIVATE").model_copy(
        update={"results": tuple(r for r in report_with("PRIVATE").results if r.hidden)}
    )
    told = make(TINY_LAB, {}, only_hidden)
    assert "PRIVATE" not in (told.decode() if isinstance(told, bytes) else told)


def test_an_exception_class_of_the_notebooks_own_is_not_named_for_a_hidden_check() -> None:
    report = report_with("x")
    results = [
        r.model_copy(update={"exception": ExceptionInfo(type="Asked_7_and_9")})
        for r in report.results
    ]
    hidden = tuple(r for r in results if r.hidden)
    page = feedback_html(TINY_LAB, {}, report.model_copy(update={"results": hidden}))
    assert "Asked_7_and_9" not in page
    assert "an exception class of your own" in page


def test_a_real_grading_gives_its_verdicts_below_its_cells(desk: Desk) -> None:
    report = desk.grade(double="def double(x):\n    return 3 * x")
    page = feedback_html(desk.lab, reference_answers(desk.lab), report)
    assert f"{report.score:f} of 10" in page
    assert "Every element is doubled. — failed, 0 of 3 points" in page
    assert "np.array(" in page


def test_a_classic_notebook_says_who_graded_it_and_what_waits(sandbox: Sandbox) -> None:
    desk = ClassicDesk(sandbox)
    report = desk.grade()
    for text in (
        feedback_html(desk.lab, {}, report),
        feedback_notebook(desk.lab, {}, report).decode(),
    ):
        assert "Graded by the notebook itself" in text
        assert "waiting for a human" in text
        assert "seven and nine" not in text
        assert "secret eleven" not in text


def test_feedback_on_the_command_line(tmp_path: Path) -> None:
    lab = read_lab(SUMS)
    (tmp_path / "mine.ipynb").write_bytes(student_notebook(lab, reference_answers(lab)))
    command = [sys.executable, "-m", "grader", "grade", str(SUMS), str(tmp_path / "mine.ipynb")]
    done = subprocess.run(
        [*command, "--feedback", str(tmp_path / "out")],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "10 of 10 points" in done.stdout
    assert "graded by the notebook itself" in done.stdout
    assert "waiting for a human" in done.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "sums-feedback.html",
        "sums-feedback.ipynb",
    }
