"""The rank × time drawing: what it shows, how much of it there can be, and what never gets into it."""

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st

from campus.ui.timeline import Drawing, drawing_of
from grader.api import MAX_RANKS, MAX_SPANS, CheckResult, RankRecord, Span

HOSTILE = "<svg onload=alert(1)>"


def span(kind: str, start: float, end: float, waited: float = 0.0, **more: Any) -> Span:
    return Span(kind=kind, start=start, end=end, waited=waited, **more)


def drawn(*ranks: tuple[Span, ...], **more: Any) -> Drawing:
    """Ranks with these spans that had all ended after ten seconds."""
    records = [
        RankRecord(rank=rank, spans=spans, **({"ended": 10.0} | more))
        for rank, spans in enumerate(ranks)
    ]
    drawing = drawing_of({"timeline": [record.model_dump(mode="json") for record in records]})
    assert drawing is not None
    return drawing


def own_bars(drawing: Drawing) -> list[tuple[str, float, float]]:
    return [(bar.kind, bar.x, bar.width) for bar in drawing.bars if bar.height > 10]


def html_of(result: dict[str, Any]) -> str:
    shown = {"check": "c", "verdict": "failed", "points": "0", "max_points": "1"} | result
    return render_to_string("ui/components/check_result.html", {"result": shown})


def test_a_rank_computes_wherever_it_does_not_stand_still() -> None:
    drawing = drawn((span("send", 2, 4, 2, peer=1), span("all_reduce", 5, 10, 2)))
    assert own_bars(drawing) == [
        ("compute", 0, 20),
        ("send", 20, 20),
        ("compute", 40, 40),
        ("collective", 80, 20),
    ]
    assert [label.text for label in drawing.labels] == ["send → 1", "all_reduce"]
    thin = [(bar.kind, bar.x, bar.width) for bar in drawing.bars if bar.height < 10]
    assert thin == [("collective", 50, 30)]  # it was begun at 5 and awaited from 8 on


def test_a_message_that_nobody_awaited_is_a_line_of_its_own() -> None:
    drawing = drawn((span("send", 0, 5, peer=1), span("recv", 1, 5, 4, peer=1)))
    assert ("send", 0.0, 50.0) in [(bar.kind, bar.x, bar.width) for bar in drawing.bars]
    assert ("thin", "thin: under way while the rank went on") in drawing.legend


def test_a_rank_that_was_still_at_it_is_told_from_one_that_had_ended() -> None:
    drawing = drawing_of(
        {
            "verdict": "failed",
            "timeline": [
                {"rank": 0, "spans": [{"kind": "recv", "start": 1, "end": 8, "waited": 7}]},
                {"rank": 1, "spans": [], "ended": 2},
                {"rank": 2, "spans": [], "error": "rank 2: KeyError: 'x'", "ended": 3},
            ],
        }
    )
    assert drawing is not None
    assert [lane.state for lane in drawing.lanes] == ["still waits", "", "failed"]
    assert drawing.errors == (("rank 2", "KeyError: 'x'"),)
    assert ("compute", 0, 25.2) in own_bars(drawing)  # rank 1, until it ended


def test_an_error_that_the_checks_sentence_has_is_not_said_twice() -> None:
    ranks = [
        {"rank": 0, "error": "rank 0: KeyError: 'x'"},
        {"rank": 1, "error": "failed"},
        {"rank": 2, "error": "failed"},
    ]
    drawing = drawing_of({"message": "rank 0: KeyError: 'x' (rank 3 waits)", "timeline": ranks})
    assert drawing is not None
    assert drawing.errors == (("ranks 1, 2", "failed, too"),)


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [
        (0.00002, ["0 µs", "5 µs", "10 µs", "15 µs", "20 µs"]),
        (0.0142, ["0 ms", "5 ms", "10 ms"]),
        (3.0, ["0 s", "1 s", "2 s", "3 s"]),
    ],
)
def test_the_axis_has_round_times_with_a_unit(seconds: float, ticks: list[str]) -> None:
    assert [tick.text for tick in drawn((), ended=seconds).ticks] == ticks


def test_who_cannot_see_it_reads_it_in_words_and_in_a_table() -> None:
    drawing = drawn((span("send", 0, 5, 5, peer=1, bytes=4096),), (span("barrier", 1, 2, 1),))
    assert "rank 0 stood still 50% of it" in drawing.description
    assert drawing.tables[0].rows == (("send", "rank 1", "0 µs", "5 s", "5 s", "4 KiB"),)
    html = html_of({"timeline": [RankRecord(rank=0, ended=1.0).model_dump(mode="json")]})
    assert 'role="img" aria-label="1 rank over 1 s' in html
    assert "Rank × time as a table" in html


@given(
    st.lists(
        st.builds(
            RankRecord,
            rank=st.integers(0, MAX_RANKS - 1),
            ended=st.none() | st.floats(0, 86_400),
            messages=st.integers(0, 10**12),
            bytes=st.integers(0, 10**18),
            error=st.text(max_size=50),
            spans=st.lists(
                st.builds(
                    Span,
                    kind=st.sampled_from(["send", "recv", "all_reduce", "mark x"])
                    | st.text(max_size=24),
                    start=st.floats(0, 86_400),
                    end=st.floats(0, 86_400),
                    waited=st.floats(0, 86_400),
                    peer=st.none() | st.integers(0, MAX_RANKS - 1),
                    bytes=st.integers(0, 10**18),
                ),
                max_size=20,
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_a_worker_tells_stays_inside_the_drawing(records: list[RankRecord]) -> None:
    timeline = [record.model_dump(mode="json") for record in records]
    drawing = drawing_of({"timeline": timeline})
    assert drawing is not None
    for bar in drawing.bars:
        assert bar.kind in ("compute", "send", "recv", "collective")
        assert 0 <= bar.x < bar.x + bar.width <= 100.01
        assert 0 <= bar.y < drawing.axis
    places = [place.x for place in (*drawing.labels, *drawing.marks)]
    assert all(0 <= x <= 100 for x in [*places, *(tick.x for tick in drawing.ticks)])
    json.dumps(drawing.as_json(), allow_nan=False)
    html = html_of({"timeline": timeline})
    ET.fromstring(html[html.index("<svg class=\"timeline__drawing") : html.index("</svg>\n    </div>") + 6])  # fmt: skip


def test_the_largest_record_is_bounded() -> None:
    spans = tuple(
        span("mark x" if n % 5 == 0 else "send", n / 10, n / 10 + 20, 0.05 * (n % 3), peer=1)
        for n in range(MAX_SPANS)
    )
    drawing = drawn(*[spans] * MAX_RANKS)
    assert len(drawing.bars) < 10_000
    assert len(drawing.labels) <= 100
    assert sum(len(table.rows) for table in drawing.tables) <= 200
    assert all(table.left_out for table in drawing.tables)


@pytest.mark.parametrize("broken", [None, [], "x", 3, [{"rank": 99}], [{"rank": 0, "spans": 1}]])
def test_a_result_without_a_record_has_no_drawing(broken: object) -> None:
    assert drawing_of({"timeline": broken}) is None
    assert drawing_of({}) is None
    assert "<figure" not in html_of({"timeline": broken})


def test_words_of_student_code_are_text_and_in_no_drawing() -> None:
    record = {
        "rank": 0,
        "spans": [
            {"kind": f"mark {HOSTILE}"[:24], "start": 0, "end": 0},
            {"kind": HOSTILE[:24], "start": 0, "end": 1, "waited": 1},
        ],
        "error": HOSTILE + "\x1b\u202e",
    }
    html = html_of({"timeline": [record], "mistake": HOSTILE, "hint": HOSTILE})
    drawing = html[html.index("<figure") : html.index("timeline__legend")]
    assert "onload" not in drawing
    assert "<svg onload" not in html
    assert not {"\x1b", "\u202e"} & set(html)
    assert ">other</text>" in drawing


def test_a_passed_check_keeps_its_drawing_folded() -> None:
    record = RankRecord(rank=0, ended=1.0).model_dump(mode="json")
    html = html_of({"timeline": [record], "verdict": "passed"})
    assert html.index("<summary>Rank × time</summary>") < html.index("<figure")


def test_a_named_mistake_is_said_to_be_one() -> None:
    assert "This looks like a known mistake:" in html_of({"mistake": "half", "hint": "All of it."})
    assert "<strong>Hint.</strong> All of it." in html_of({"mistake": "", "hint": "All of it."})
    old = CheckResult(
        check="c", exercise="E1", title="t", verdict="failed", points=0, max_points=1, hint="h"
    ).model_dump(mode="json", exclude={"mistake", "timeline"})
    assert "<strong>Hint.</strong> h" in html_of(
        old
    )  # as results were stored before there were any
