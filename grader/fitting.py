"""A report that is too large to be told is cut: what students print must not keep their score from arriving.

Every field of a report has a limit, but hundreds of checks that each reach theirs are more than campus reads.
A report that was refused would be an internal error, and that a free try. So what is only for reading goes,
the longest kind of it first; verdicts, points and messages stay.
"""

from grader.protocol import MAX_REPORT_BYTES, CheckResult, GradingReport

CUT = "… cut: the report would be too large …"
CUTS: tuple[dict[str, object], ...] = (
    {"timeline": ()},
    {"stdout": CUT},
    {"exception": None},
    {"inputs": CUT, "difference": None},
)


def fitted(report: GradingReport, most: int = MAX_REPORT_BYTES) -> GradingReport:
    """The report, without as much of what is only for reading as is needed to get below `most` bytes."""
    if _size(report) <= most:
        return report
    for cut in CUTS:
        results = tuple(_without(result, cut) for result in report.results)
        report = report.model_copy(update={"results": results})
        if _size(report) <= most:
            return report
    cells = tuple(cell.model_copy(update={"exception": None}) for cell in report.cells)
    report = report.model_copy(update={"cells": cells, "notebook_stdout": CUT})
    if _size(report) <= most:
        return report
    short = tuple(r.model_copy(update={"message": r.message[:200]}) for r in report.results)
    return report.model_copy(update={"results": short})


def _without(result: CheckResult, cut: dict[str, object]) -> CheckResult:
    return result.model_copy(
        update={name: new for name, new in cut.items() if getattr(result, name)}
    )


def _size(report: GradingReport) -> int:
    return len(report.model_dump_json().encode())
