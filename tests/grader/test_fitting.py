"""However much a submission prints and raises, its report is small enough to be told."""

from decimal import Decimal

from grader.fitting import fitted
from grader.protocol import (
    MAX_REPORT_BYTES,
    CellResult,
    CheckResult,
    ExceptionInfo,
    GradingReport,
    RankRecord,
    Span,
    TraceLine,
    Verdict,
)

LOUD = "\x1f"  # six bytes in JSON
TRACE = TraceLine(cell="a", line=1, source=LOUD * 400, function=LOUD * 200)
RAISED = ExceptionInfo(type=LOUD * 200, text=LOUD * 2000, trace=(TRACE,) * 50)
SPAN = Span(kind="all_reduce", start=1.234567, end=2.345678, bytes=10**9)


def loud(checks: int) -> GradingReport:
    found = CheckResult(
        check="c", exercise="E1", title="t", verdict=Verdict.ERROR, points=Decimal(0), max_points=Decimal(1),
        message="why " + LOUD * 1996, inputs=LOUD * 8000, stdout=LOUD * 8000, exception=RAISED,
        timeline=tuple(RankRecord(rank=rank, spans=(SPAN,) * 60) for rank in range(16)),
    )  # fmt: skip
    cell = CellResult(cell="a", ended="error", exception=RAISED)
    return GradingReport(
        attempt="a", lab="tiny", lab_hash="a" * 64, submission_sha256="a" * 64, results=(found,) * checks,
        cells=(cell,) * 100, notebook_stdout=LOUD * 70_000, score=Decimal(3),
    )  # fmt: skip


def test_a_report_of_many_loud_checks_keeps_its_verdicts() -> None:
    for checks in (20, 500):
        cut = fitted(loud(checks))
        assert len(cut.model_dump_json().encode()) <= MAX_REPORT_BYTES
        assert len(cut.results) == checks
        assert all(r.verdict is Verdict.ERROR and r.message.startswith("why") for r in cut.results)
        assert cut.score == 3
        assert GradingReport.model_validate_json(cut.model_dump_json()) == cut


def test_an_honest_report_stays_as_it_is() -> None:
    report = loud(1).model_copy(update={"cells": ()})
    assert fitted(report) is report
