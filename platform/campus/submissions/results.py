"""Check results as a worker reports them: believed only as far as the lab itself bears them out.

A worker is trusted to tell a verdict. What a check is worth, whether it is hidden and which checks there
are is taken from the lab on this side.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from campus.submissions.errors import ReportRefusedError
from campus.submissions.models import CheckResult
from grader.api import CheckResult as CheckMessage
from grader.api import GradingReport, Verdict
from labs.catalog import Lab


def check_results(lab: Lab, results: Sequence[CheckMessage]) -> None:
    """Refuse what cannot be a result of this lab.

    Raises:
        ReportRefusedError: an unknown or repeated check, or points that it cannot give.
    """
    worth = {check.name: check.points for check in lab.checks}
    seen: set[str] = set()
    for result in results:
        if result.check not in worth:
            raise ReportRefusedError(f"{lab.slug} has no check {result.check!r}.")
        if result.check in seen:
            raise ReportRefusedError(f"{result.check} is reported twice.")
        seen.add(result.check)
        # A cell of a classic notebook may give some of its points.
        whole = result.verdict is Verdict.PASSED or lab.kind == "classic"
        most = worth[result.check] if whole else Decimal(0)
        if result.points > most:
            raise ReportRefusedError(
                f"{result.check} ({result.verdict}) can give {most} points, not {result.points}."
            )


def check_report(lab: Lab, report: GradingReport) -> None:
    """Refuse a report that does not answer every check of the lab exactly once.

    Raises:
        ReportRefusedError: as `check_results`, or a check is missing.
    """
    check_results(lab, report.results)
    missing = {check.name for check in lab.checks} - {result.check for result in report.results}
    if missing:
        raise ReportRefusedError(f"No result for {', '.join(sorted(missing))}.")


def store_results(
    attempt_id: UUID, lab: Lab, results: Sequence[CheckMessage], now: datetime
) -> None:
    """Write what is new. A result that differs from a stored one replaces it as a new row, since watchers
    follow the rows' growing keys."""
    position = {check.name: number for number, check in enumerate(lab.checks, start=1)}
    stored = dict(
        CheckResult.objects.filter(attempt_id=attempt_id).values_list("check_name", "detail")
    )
    details = {result.check: _detail(lab, result) for result in results}
    new = [result for result in results if stored.get(result.check) != details[result.check]]
    replaced = [result.check for result in new if result.check in stored]
    if replaced:
        CheckResult.objects.filter(attempt_id=attempt_id, check_name__in=replaced).delete()
    CheckResult.objects.bulk_create(
        CheckResult(
            attempt_id=attempt_id,
            check_name=result.check,
            exercise=lab.check(result.check).exercise,
            position=position[result.check],
            verdict=result.verdict.value,
            points=result.points,
            max_points=lab.check(result.check).points,
            hidden=lab.check(result.check).hidden,
            detail=details[result.check],
            received_at=now,
        )
        for result in new
    )


def _detail(lab: Lab, result: CheckMessage) -> dict[str, object]:
    check = lab.check(result.check)
    checked = result.model_copy(
        update={"exercise": check.exercise, "max_points": check.points, "hidden": check.hidden}
    )
    detail: dict[str, object] = checked.model_dump(mode="json")
    return detail
