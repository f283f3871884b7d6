"""From check results to points: pure, and in Decimal."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from grader.protocol import CheckResult, ManualResult, Verdict

if TYPE_CHECKING:
    from labs.catalog import Lab


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


def waiting_for_a_human(lab: "Lab", answers: Mapping[str, str]) -> tuple[ManualResult, ...]:
    """The cells of a lab that are graded by hand, and whether anything was written in them."""
    return tuple(
        ManualResult(
            cell=item.cell,
            exercise=item.exercise,
            title=item.title,
            max_points=item.points,
            answered=answers.get(item.cell, "").strip()
            not in ("", lab.cell(item.cell).source.strip()),
        )
        for item in lab.manual
    )
