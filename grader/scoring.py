"""From check results to points: pure, and in Decimal."""

from collections.abc import Iterable
from decimal import Decimal

from grader.protocol import CheckResult, Verdict


def points_for(verdict: Verdict, points: Decimal) -> Decimal:
    """All of a check's points when it passed, else none."""
    return points if verdict is Verdict.PASSED else Decimal(0)


def total(results: Iterable[CheckResult]) -> tuple[Decimal, Decimal]:
    """The score and what could have been reached."""
    listed = list(results)
    return (
        sum((result.points for result in listed), Decimal(0)),
        sum((result.max_points for result in listed), Decimal(0)),
    )
