"""Geometry of the dashboard's pictures, in per cent, so that they fit any width without scaling text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

BINS = 10

# Nine verdicts are too many colours for a bar: these five say whose turn it is.
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "passed": ("passed",),
    "failed": ("failed", "rejected"),
    "error": ("error", "timed_out", "out_of_memory", "output_limit"),
    "not_reached": ("not_reached",),
    "internal_error": ("internal_error",),
}


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a histogram: scores from `low` to `high` per cent of the maximum."""

    low: int
    high: int
    count: int
    x: float  # all four in per cent of the picture
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Histogram:
    """How the scores of one assignment are spread."""

    bins: tuple[Bin, ...]
    count: int
    median: Decimal | None
    max_score: Decimal
    median_x: float | None

    @property
    def tallest(self) -> int:
        return max((bin_.count for bin_ in self.bins), default=0)


@dataclass(frozen=True, slots=True)
class Part:
    """One colour of a stacked bar."""

    outcome: str
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class StackedBar:
    """How one check ended for everybody."""

    parts: tuple[Part, ...]
    total: int

    @property
    def passed(self) -> int:
        return next((part.count for part in self.parts if part.outcome == "passed"), 0)

    @property
    def passed_share(self) -> float:
        return self.passed / self.total if self.total else 1.0


def histogram(scores: Iterable[Decimal], max_score: Decimal) -> Histogram:
    """Ten equal bins; a full score falls into the last one."""
    found = sorted(scores)
    counts = [0] * BINS
    for score in found:
        share = score / max_score if max_score else Decimal(0)
        counts[min(int(share * BINS), BINS - 1)] += 1
    tallest = max(counts) or 1
    step = 100 / BINS
    bins = tuple(
        Bin(
            low=round(k * step),
            high=round((k + 1) * step),
            count=count,
            x=k * step + step * 0.06,
            y=100 - 100 * count / tallest,
            width=step * 0.88,
            height=100 * count / tallest,
        )
        for k, count in enumerate(counts)
    )
    middle = median(found) if found else None
    return Histogram(
        bins=bins,
        count=len(found),
        median=middle,
        max_score=max_score,
        median_x=(
            min(float(middle / max_score) * 100, 100.0)
            if middle is not None and max_score
            else None
        ),
    )


def stacked_bar(counts: Mapping[str, int]) -> StackedBar:
    """Counts by verdict as a bar of at most five colours, all together 100 per cent wide."""
    total = sum(counts.values())
    parts: list[Part] = []
    x = 0.0
    for outcome, verdicts in OUTCOMES.items():
        count = sum(counts.get(verdict, 0) for verdict in verdicts)
        width = 100 * count / total if total else 0.0
        parts.append(Part(outcome, count, x, width))
        x += width
    return StackedBar(tuple(parts), total)
