"""The geometry of the pictures, for any data."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from campus.gradebook.charts import OUTCOMES, histogram, stacked_bar
from grader.api import Verdict

SCORES = st.lists(st.decimals(min_value=0, max_value=100, places=3), max_size=60)


@given(SCORES)
def test_every_score_falls_into_exactly_one_bin(scores: list[Decimal]) -> None:
    assert sum(bin_.count for bin_ in histogram(scores, Decimal(100)).bins) == len(scores)


@given(SCORES)
def test_bars_stay_in_the_picture_and_the_tallest_fills_it(scores: list[Decimal]) -> None:
    drawn = histogram(scores, Decimal(100))
    for bin_ in drawn.bins:
        assert bin_.x >= 0
        assert bin_.x + bin_.width <= 100
        assert abs(bin_.y + bin_.height - 100) < 1e-9
    assert max(bin_.height for bin_ in drawn.bins) == (100 if scores else 0)


@given(st.dictionaries(st.sampled_from([str(verdict) for verdict in Verdict]), st.integers(0, 500)))
def test_the_parts_of_a_bar_lie_side_by_side_and_count_every_verdict(
    counts: dict[str, int],
) -> None:
    bar = stacked_bar(counts)
    assert sum(part.count for part in bar.parts) == bar.total == sum(counts.values())
    x = 0.0
    for part in bar.parts:
        assert abs(part.x - x) < 1e-9
        x += part.width
    assert abs(x - 100) < 1e-6 or bar.total == 0


def test_every_verdict_of_the_protocol_has_its_colour() -> None:
    assert {name for names in OUTCOMES.values() for name in names} == {str(v) for v in Verdict}


def test_a_full_score_is_in_the_last_bin_and_the_median_between_two_is_their_middle() -> None:
    drawn = histogram([Decimal(10), Decimal("9.5")], Decimal(10))
    assert drawn.bins[-1].count == 2
    assert drawn.median == Decimal("9.75")
    assert drawn.median_x == 97.5


def test_a_score_above_the_maximum_stays_in_the_picture() -> None:
    drawn = histogram([Decimal(12)], Decimal(10))
    assert drawn.bins[-1].count == 1
    assert drawn.median_x == 100


def test_no_scores_and_no_points_are_drawn_as_nothing() -> None:
    assert histogram([], Decimal(0)).median is None
    assert histogram([Decimal(0)], Decimal(0)).count == 1
    assert stacked_bar({}).passed_share == 1
