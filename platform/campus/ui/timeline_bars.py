"""Where the bars, lines and labels of a rank × time drawing lie; see timeline.py.

Bars are painted on a grid of columns and read off as runs, so that overlapping, backward or endless spans
of a record can make nothing but a bounded number of bars inside the drawing.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from grader.api import MAX_SPANS, RankRecord, Span

COLUMNS = 250  # as fine as a drawing gets
LANE, BAR_TOP, BAR_HEIGHT = 44, 6, 18  # pixels
LINES, LINE_TOP, LINE_STEP, LINE_HEIGHT = 3, 27, 5, 4
LETTER = 1.8  # percent of the width, where the drawing is narrowest
WIRE_SECONDS = 0.001  # between a blocking call and its waiting, nothing to look at
COLLECTIVES = (
    "barrier",
    "broadcast",
    "all_reduce",
    "all_gather",
    "reduce_scatter",
    "all_to_all",
    "scatter",
    "gather",
)
MARK = "mark "


@dataclass(frozen=True, slots=True)
class Bar:
    """`kind`: compute, send, recv, collective. Thin ones are messages under way."""

    kind: str
    x: float
    width: float
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Text:
    x: float
    y: int
    text: str


def family(kind: str) -> str:
    """The kind of a span as one of four words, whatever a worker called it."""
    if kind in ("send", "recv"):
        return kind
    return "mark" if kind.startswith(MARK) else "collective"


def waits(record: RankRecord) -> list[tuple[float, float, Span]]:
    """When the rank stood still, and in what."""
    return [
        (max(span.start, span.end - span.waited), span.end, span)
        for span in record.spans
        if span.waited > 0 and family(span.kind) != "mark"
    ]


def own_bar(
    record: RankRecord, stood: Iterable[tuple[float, float, Span]], whole: float, top: int
) -> list[Bar]:
    """What the rank itself did: it computes wherever it does not stand still."""
    end = whole if record.ended is None else record.ended
    if len(record.spans) >= MAX_SPANS:  # what came after the last one that was kept is not known
        end = max(one.end for one in record.spans)
    columns = [""] * COLUMNS
    _paint(columns, 0.0, end, whole, "compute")
    for start, stop, one in stood:
        _paint(columns, start, stop, whole, family(one.kind))
    return _runs(columns, top, BAR_HEIGHT)


def _paint(columns: list[str], start: float, end: float, whole: float, kind: str) -> None:
    first = min(COLUMNS - 1, int(start / whole * COLUMNS))
    last = max(first + 1, min(COLUMNS, math.ceil(end / whole * COLUMNS - 1e-9)))
    columns[first:last] = [kind] * (last - first)


def _runs(columns: list[str], top: int, height: int) -> list[Bar]:
    bars, at = [], 0
    for kind, run in groupby(columns):
        length = len(list(run))
        if kind:
            share = 100 / COLUMNS
            bars.append(Bar(kind, round(at * share, 2), round(length * share, 2), top, height))
        at += length
    return bars


def under_way(record: RankRecord, whole: float, top: int) -> list[Bar]:
    """Messages and collectives that went on while the rank did something else."""
    lines = [[""] * COLUMNS for _ in range(LINES)]
    free = [0.0] * LINES
    begun = sorted(record.spans, key=lambda one: one.start)
    for number, one in enumerate(begun):
        end = one.end - one.waited
        meanwhile = number + 1 < len(begun) and begun[number + 1].start < end
        long = end - one.start > max(whole / 50, WIRE_SECONDS)
        if family(one.kind) == "mark" or (one.waited and not meanwhile and not long):
            continue
        line = next((n for n in range(LINES) if free[n] <= one.start), LINES - 1)
        free[line] = max(free[line], end)
        _paint(lines[line], one.start, end, whole, family(one.kind))
    return [
        bar
        for n, columns in enumerate(lines)
        for bar in _runs(columns, top + LINE_TOP + n * LINE_STEP, LINE_HEIGHT)
    ]


def words_in_bars(
    stood: Iterable[tuple[float, float, Span]], whole: float, y: int
) -> Iterable[Text]:
    """A word in every bar that has room for it."""
    for start, end, one in stood:
        words, width = in_words(one), percent(end - start, whole)
        shorter = words.rpartition(" ")[0] and words.partition(" ")[2]  # "→ 1"
        for text in filter(None, (words, shorter)):
            if width >= LETTER * len(text) + 1:
                yield Text(percent((start + end) / 2, whole), y, text)
                break


def in_words(span: Span) -> str:
    """`send → 1`, `recv ← 0`, `all_reduce`: words of our own, whatever the span is called."""
    if span.kind == "send":
        return "send" if span.peer is None else f"send → {span.peer}"
    if span.kind == "recv":
        return "recv" if span.peer is None else f"recv ← {span.peer}"
    return span.kind if span.kind in COLLECTIVES else "other"


def marks(record: RankRecord, whole: float, y: int) -> list[Text]:
    """Moments that the code noted, as many as can be told apart. Their text is only in the table."""
    places = {
        round(percent(one.start, whole)) for one in record.spans if family(one.kind) == "mark"
    }
    return [Text(place, y, "") for place in sorted(places)]


def percent(seconds: float, whole: float) -> float:
    return round(min(100.0, seconds / whole * 100), 2)
