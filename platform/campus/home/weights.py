"""The grading of a course as one bar: a segment a line, cut where several things share it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from campus.assignments.models import GradingComponent

TONES = ("one", "two", "three", "four")


@dataclass(frozen=True, slots=True)
class Piece:
    """A rectangle of the bar, in percent of its width."""

    start: Decimal
    width: Decimal
    tone: str


@dataclass(frozen=True, slots=True)
class WeightLine:
    title: str
    count: int
    each_percent: Decimal
    percent: Decimal
    tone: str


@dataclass(frozen=True, slots=True)
class WeightBar:
    lines: tuple[WeightLine, ...]
    pieces: tuple[Piece, ...]


def weight_bar(components: Iterable[GradingComponent]) -> WeightBar:
    lines: list[WeightLine] = []
    pieces: list[Piece] = []
    start = Decimal(0)
    for index, component in enumerate(components):
        tone = TONES[index % len(TONES)]
        count = max(component.count, 1)
        each = component.weight_percent / count
        lines.append(WeightLine(component.title, count, each, component.weight_percent, tone))
        for _ in range(count):
            pieces.append(Piece(start, each, tone))
            start += each
    return WeightBar(tuple(lines), tuple(pieces))
