"""The rank × time record of a check as a drawing: numbers and words for the pages and for the workbench.

What is drawn, and where, is decided here alone; the template and the workbench only put it down, so both
look the same. Everything horizontal is a share of the width in percent, so a drawing fits whatever holds it.

A lane has a bar that is the rank itself: it computes, or it stands still in a send, a receive or a
collective. Thin lines below are messages that were under way while the rank went on. Both are drawn on a
grid of columns, which bounds the drawing whatever a record holds. Words out of a record (a mark's text, an
error) are in no drawing, only in the table and the list beside it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from campus.ui.timeline_bars import (
    BAR_HEIGHT,
    BAR_TOP,
    COLLECTIVES,
    LANE,
    LINE_HEIGHT,
    MARK,
    Bar,
    Text,
    family,
    marks,
    own_bar,
    percent,
    under_way,
    waits,
    words_in_bars,
)
from grader.api import MAX_RANKS, RankRecord, Span

AXIS = 22
MAX_LABELS = 100
MAX_ROWS = 200  # of the table, of all ranks
MEANINGS = {
    "compute": "computes",
    "send": "stands in a send",
    "recv": "stands in a receive",
    "collective": "stands in a collective",
}
FAILED_TOO = "failed"  # what the grader says of ranks that failed after the first
RECORDS = TypeAdapter(tuple[RankRecord, ...])


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    text: str
    anchor: str  # start, middle, end: so that no text leaves the drawing


@dataclass(frozen=True, slots=True)
class Lane:
    rank: int
    state: str  # "failed", "still waits", or empty


@dataclass(frozen=True, slots=True)
class RankTable:
    """What one rank did, in words: what, with whom, from, to, stood still for, bytes."""

    rank: int
    totals: str
    rows: tuple[tuple[str, ...], ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of one picture; every text but those of `tables` and `errors` is our own."""

    height: int
    axis: int  # where the lanes end
    lanes: tuple[Lane, ...]
    bars: tuple[Bar, ...]
    labels: tuple[Text, ...]
    marks: tuple[Text, ...]
    ticks: tuple[Tick, ...]
    legend: tuple[tuple[str, str], ...]  # (kind of what is drawn, what it means)
    caption: str
    description: str
    errors: tuple[tuple[str, str], ...]
    tables: tuple[RankTable, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def drawing_of(result: Any) -> Drawing | None:
    """The drawing of a check result (the protocol's message, or its JSON); None where there is no record."""
    timeline, message, verdict = (
        result.get(name) if isinstance(result, dict) else getattr(result, name, None)
        for name in ("timeline", "message", "verdict")
    )
    try:
        records = RECORDS.validate_python(timeline or ())[:MAX_RANKS]
    except ValidationError:
        return None
    return _drawn(records, str(message or ""), passed=verdict == "passed") if records else None


def _drawn(records: Sequence[RankRecord], message: str, *, passed: bool) -> Drawing:
    whole = max([_until(record) for record in records] + [1e-6])
    bars: list[Bar] = []
    words: list[Text] = []
    noted: list[Text] = []
    waited: list[tuple[int, float]] = []
    for lane, record in enumerate(records):
        top = lane * LANE
        stood = waits(record)
        bars += own_bar(record, stood, whole, top + BAR_TOP)
        bars += under_way(record, whole, top)
        words += words_in_bars(stood, whole, top + BAR_TOP + 13)
        noted += marks(record, whole, top + BAR_TOP - 4)
        waited.append((record.rank, sum(end - start for start, end, _ in stood)))
    axis = len(records) * LANE
    return Drawing(
        height=axis + AXIS,
        axis=axis,
        lanes=tuple(
            Lane(record.rank, "" if passed else _state(record, whole)) for record in records
        ),
        bars=tuple(bars),
        labels=tuple(words[:MAX_LABELS]),
        marks=tuple(noted),
        ticks=tuple(_ticks(whole)),
        legend=_legend(bars, noted),
        caption=f"{_ranks(len(records))} over {_time(whole)}, in the last trial that was run",
        description=_described(records, whole, waited),
        errors=tuple(_errors(records, message)),
        tables=tuple(_table(record, MAX_ROWS // len(records)) for record in records),
    )


def _ranks(count: int) -> str:
    return f"{count} rank{'' if count == 1 else 's'}"


def _until(record: RankRecord) -> float:
    return max([record.ended or 0.0, *(span.end for span in record.spans)])


def _state(record: RankRecord, whole: float) -> str:
    if record.error:
        return "failed"
    stands = any(end >= whole * (1 - 1e-6) for _, end, _ in waits(record))
    return "still waits" if stands and record.ended is None else ""


def _legend(bars: Sequence[Bar], noted: Sequence[Text]) -> tuple[tuple[str, str], ...]:
    drawn = {bar.kind for bar in bars if bar.height == BAR_HEIGHT}
    thin = {bar.kind for bar in bars if bar.height == LINE_HEIGHT}
    words = [(kind, meaning) for kind, meaning in MEANINGS.items() if kind in drawn | thin]
    if thin:
        words.append(("thin", "thin: under way while the rank went on"))
    if noted:
        words.append(("mark", "a mark of the code"))
    return tuple(words)


def _ticks(whole: float) -> Iterable[Tick]:
    """About four round times; the unit is that of the whole."""
    unit, per_second = next(
        (found for found in (("s", 1.0), ("ms", 1e3)) if whole * found[1] >= 1), ("µs", 1e6)
    )
    count = whole * per_second
    power = 10.0 ** math.floor(math.log10(count / 4))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= count / 4 * (1 - 1e-9))
    for n in range(int(count / step + 1e-9) + 1):
        x = percent(n * step, count)
        anchor = "start" if n == 0 else "end" if x > 92 else "middle"
        yield Tick(x, f"{n * step:g} {unit}", anchor)


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} µs"


def _size(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"


def _described(
    records: Sequence[RankRecord], whole: float, waited: Iterable[tuple[int, float]]
) -> str:
    """For who cannot see it: how long, and how much of it each rank stood still."""
    stood = "; ".join(
        f"rank {rank} stood still {min(1.0, seconds / whole):.0%} of it" for rank, seconds in waited
    )
    return f"{_ranks(len(records))} over {_time(whole)}: {stood}. The table below says all of it."


def _errors(records: Iterable[RankRecord], message: str) -> Iterable[tuple[str, str]]:
    """Who ended badly, and how, where the check's own sentence does not say it already."""
    others = []
    for record in records:
        text = record.error.removeprefix(f"rank {record.rank}: ")
        if text == FAILED_TOO:
            others.append(str(record.rank))
        elif text and text not in message:
            yield f"rank {record.rank}", readable(text)
    if others:
        yield f"rank{'s' if len(others) > 1 else ''} {', '.join(others)}", "failed, too"


def readable(text: str) -> str:
    """Text of somebody's code on one line, with signs for what no reader can see."""
    return "".join(sign if sign.isprintable() else "·" for sign in text)


def _table(record: RankRecord, most: int) -> RankTable:
    return RankTable(
        rank=record.rank,
        totals=f"sends and collectives: {record.messages}, {_size(record.bytes)}",
        rows=tuple(_row(span) for span in record.spans[:most]),
        left_out=max(0, len(record.spans) - most),
    )


def _row(span: Span) -> tuple[str, ...]:
    if family(span.kind) == "mark":
        return f"mark: {readable(span.kind[len(MARK) :])}", "", _time(span.start), "", "", ""
    known = span.kind in ("send", "recv", *COLLECTIVES)
    return (
        span.kind if known else "other",
        "all ranks" if span.peer is None else f"rank {span.peer}",
        _time(span.start),
        _time(span.end),
        _time(span.waited) if span.waited else "",
        _size(span.bytes) if span.bytes else "",
    )
