"""Which line of the grading belongs under which, and whether everything adds up."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.shapes import PageWeight, WeightKind

HUNDRED = Decimal(100)
BONUS = re.compile(r"\b(?:bonus|extra\s+credit)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Weighted:
    """A weight before it is known which other lines belong under it."""

    weight: PageWeight
    indent: int
    opens: bool  # ends with a colon, so that its parts follow


def nested(weighted: Sequence[Weighted]) -> tuple[PageWeight, ...]:
    """Lines put under the line that they are indented under.

    Where the indentation is lost, a line that ends with a colon takes the following ones until they
    add up to it, if only so the whole makes 100 %.
    """
    indented, _ = take_indented(weighted, 0, -1)
    if sum((weight.percent for weight in indented), Decimal(0)) != HUNDRED:
        by_colon, _ = take_by_colon(weighted, 0, None)
        if sum((weight.percent for weight in by_colon), Decimal(0)) == HUNDRED:
            return by_colon
    return indented


def take_indented(
    weighted: Sequence[Weighted], start: int, under: int
) -> tuple[tuple[PageWeight, ...], int]:
    """The lines from `start` that are indented deeper than `under`, and where they end."""
    taken: list[PageWeight] = []
    at = start
    while at < len(weighted) and weighted[at].indent > under:
        own = weighted[at]
        parts, following = take_indented(weighted, at + 1, own.indent + 1)  # a space is a slip
        taken.append(replace(own.weight, parts=parts))
        at = following
    return tuple(taken), at


def take_by_colon(
    weighted: Sequence[Weighted], start: int, wanted: Decimal | None
) -> tuple[tuple[PageWeight, ...], int]:
    """Lines from `start` until they add up to what is wanted."""
    taken: list[PageWeight] = []
    total, at = Decimal(0), start
    while at < len(weighted) and (wanted is None or total < wanted):
        own = weighted[at]
        at += 1
        parts: tuple[PageWeight, ...] = ()
        if own.opens:
            parts, at = take_by_colon(weighted, at, own.weight.percent)
        taken.append(replace(own.weight, parts=parts))
        total += own.weight.percent
    return tuple(taken), at


def without_twins(weights: tuple[PageWeight, ...], findings: Findings) -> tuple[PageWeight, ...]:
    """Titles are unique; a second one of the same title is a problem."""
    seen: dict[str, PageWeight] = {}
    for weight in weights:
        twin = seen.setdefault(weight.title.casefold(), weight)
        if twin is not weight:
            findings.report(
                Problem(
                    weight.line,
                    f"weights.{slug(weight.title)}",
                    weight.title,
                    f"{weight.title} is also on line {twin.line}",
                    remedy="delete one of them, or tell them apart",
                )
            )
    return tuple(seen.values())


def check_total(weights: Sequence[PageWeight], findings: Findings) -> None:
    counted = [weight for weight in weights if not BONUS.search(weight.title)]
    total = sum((weight.percent for weight in counted), Decimal(0))
    if total == HUNDRED:
        return
    sum_text = " + ".join(show(weight.percent) for weight in counted)
    difference = f"{show(abs(HUNDRED - total))} % too {'little' if total < HUNDRED else 'much'}"
    findings.report(
        Problem(
            weights[0].line,
            "weights",
            sum_text,
            f"the weights add up to {show(total)} %, not to 100 %",
            remedy=f"mend one of them, there is {difference}",
        )
    )


def check_parts(weight: PageWeight, findings: Findings) -> None:
    """Parts, where there are any, add up to their whole."""
    if not weight.parts:
        return
    total = sum((part.percent for part in weight.parts), Decimal(0))
    if total != weight.percent:
        findings.report(
            Problem(
                weight.line,
                f"weights.{slug(weight.title)}",
                " + ".join(show(part.percent) for part in weight.parts),
                f"the parts add up to {show(total)} %, {weight.title} to {show(weight.percent)} %",
                remedy="mend the part that is wrong",
            )
        )
    for part in weight.parts:
        check_parts(part, findings)


def homework_weight(weights: Iterable[PageWeight]) -> PageWeight | None:
    return next((weight for weight in weights if weight.kind is WeightKind.HOMEWORK), None)


def slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "item"


def show(number: Decimal) -> str:
    """20 for 20.000."""
    return format(number.normalize(), "f")
