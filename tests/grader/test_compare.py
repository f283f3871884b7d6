"""Comparison is total: any plain data against any other gives an answer, and equals only itself."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks import Tolerance
from grader.compare import compare, unfit
from grader.inside.wire import NotPlainData
from grader.protocol import CheckResult, Verdict
from grader.scoring import points_for, total
from tests.grader.test_wire import plain_data


def without_nan(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(without_nan, value))
    if isinstance(value, dict):
        return all(map(without_nan, value.values()))
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fc":
        return not np.isnan(value).any()
    return not (isinstance(value, float | complex) and value != value)


@given(plain_data(), plain_data())
@settings(max_examples=400, deadline=None)
def test_any_two_values_can_be_compared(got: Any, expected: Any) -> None:
    mismatch = compare(got, expected)
    assert mismatch is None or mismatch.message
    unfit(got)


@given(plain_data().filter(without_nan))
@settings(max_examples=200, deadline=None)
def test_a_value_agrees_with_itself(value: Any) -> None:
    assert compare(value, value) is None


@given(plain_data())
@settings(max_examples=100, deadline=None)
def test_what_is_not_plain_data_agrees_with_nothing(expected: Any) -> None:
    assert compare(NotPlainData("x.Y"), expected) is not None
    assert compare([NotPlainData("x.Y")], [expected]) is not None


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (10**400, 1.0),
        (-(10**400), 1 + 1j),
        (10**400, 3),
        (np.uint64(2**64 - 1), -1),
        (True, 1),
        (1, True),
        (1.0, 1),
        (np.nan, np.nan),
        (np.array([np.nan]), np.array([np.nan])),
        (np.inf, -np.inf),
        (np.float32(1), None),
        ([], ()),
        ("1", 1),
        (np.ones((1, 3)), np.ones(3)),
        (np.ones(3, "f4"), np.ones(3)),
        ({"x": 1}, {"y": 1}),
        ({"x": 1, "y": 2}, {"x": 1}),
    ],
)
def test_values_that_differ(got: Any, expected: Any) -> None:
    assert compare(got, expected) is not None


def test_the_tolerance_depends_on_the_dtype_and_may_be_given() -> None:
    assert compare(np.float64(1 + 1e-10), 1.0) is None
    assert compare(np.float64(1 + 1e-8), 1.0) is not None
    assert compare(np.ones(1, "f4") * np.float32(1 + 1e-5), np.ones(1, "f4")) is None
    assert compare(1.05, 1.0, Tolerance(0.1, 0.0)) is None


def test_the_first_differing_element_is_named() -> None:
    mismatch = compare(
        {"g": [np.zeros((2, 2)), np.eye(2)]}, {"g": [np.zeros((2, 2)), np.ones((2, 2))]}
    )
    assert mismatch is not None
    assert mismatch.path == "g[1][0, 1]"
    assert (mismatch.got, mismatch.expected) == ("0.0", "1.0")
    assert mismatch.relative_error == 1.0


@pytest.mark.parametrize(
    "value",
    [
        np.nan,
        complex(0, np.nan),
        np.array([1, np.nan]),
        np.zeros((0, 4)),
        {"x": [NotPlainData("x")]},
    ],
)
def test_what_no_verify_should_see(value: Any) -> None:
    assert unfit(value) is not None


@given(
    st.lists(st.tuples(st.sampled_from(list(Verdict)), st.decimals(0, 100, places=2)), max_size=20)
)
def test_only_passed_checks_earn_and_the_sum_is_exact(rows: list[tuple[Verdict, Decimal]]) -> None:
    results = [
        CheckResult(
            check=str(number),
            exercise="E",
            title="t",
            verdict=verdict,
            points=points_for(verdict, points),
            max_points=points,
        )
        for number, (verdict, points) in enumerate(rows)
    ]
    score, reachable = total(results)
    assert reachable == sum((points for _, points in rows), Decimal(0))
    assert score == sum((p for v, p in rows if v is Verdict.PASSED), Decimal(0))
    assert 0 <= score <= reachable


def test_nan_agrees_with_nan_only_where_the_tolerance_says_so() -> None:
    expected, got = np.array([1.0, np.nan]), np.array([1.0, np.nan])
    assert compare(got, expected) is not None
    assert compare(got, expected, Tolerance(1e-9, 0.0, equal_nan=True)) is None
    assert compare(np.array([np.nan, np.nan]), expected, Tolerance(1e-9, 0.0, True)) is not None
    assert compare(np.array([1.0, 2.0]), expected, Tolerance(1e-9, 0.0, True)) is not None
