"""Frames: all plain data comes through unchanged, and nothing that hostile bytes say does harm."""

import json
import math
import socket
import struct
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.inside import wire

DTYPES = [dtype for kind, dtype in wire.NUMPY_KINDS.items()]
REFUSALS = (wire.WireError, wire.WireClosed, wire.WireTimeout)


def scalars() -> st.SearchStrategy[Any]:
    return (
        st.none()
        | st.booleans()
        | st.integers(-(10**300), 10**300)
        | st.floats()
        | st.complex_numbers()
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=600)
        | st.binary(max_size=600)
        | st.sampled_from(DTYPES).flatmap(
            lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=4))
        )
        | st.sampled_from(DTYPES).flatmap(hnp.from_dtype)
    )


def plain_data() -> st.SearchStrategy[Any]:
    keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    return st.recursive(
        scalars(),
        lambda inner: (
            st.lists(inner, max_size=5)
            | st.lists(inner, max_size=5).map(tuple)
            | st.dictionaries(keys, inner, max_size=5)
        ),
        max_leaves=20,
    )


def same(one: Any, other: Any) -> bool:
    """Equal in type, dtype, shape and bits, with NaN equal to NaN."""
    if isinstance(one, np.ndarray | np.generic):
        return (
            type(one) is type(other)
            and one.dtype.newbyteorder("<") == other.dtype.newbyteorder("<")
            and one.shape == other.shape
            and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")
        )
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float | complex):
        return repr(one) == repr(other)
    return bool(one == other)


def through(data: bytes, *, max_body: int = 2**20, seconds: float = 0.5) -> Any:
    """What the trusted side makes of bytes that came over a channel which was then closed."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        theirs.send(data)
        theirs.close()
        return wire.receive(ours, time.monotonic() + seconds, max_body)


def framed(header: bytes, body: bytes = b"") -> bytes:
    return wire.PREAMBLE.pack(len(header), len(body)) + header + body


def tree(value: Any, buffers: list[Any] | None = None, body: bytes = b"") -> bytes:
    return framed(json.dumps({"tree": value, "buffers": buffers or []}).encode(), body)


@given(plain_data())
@settings(max_examples=300, deadline=None)
def test_plain_data_comes_through_unchanged(value: Any) -> None:
    assert same(through(b"".join(wire.encode(value))), value)


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_random_bytes_are_refused_and_nothing_else(data: bytes) -> None:
    with pytest.raises(REFUSALS):
        through(data)


@given(st.binary(max_size=300), st.binary(max_size=50))
@settings(max_examples=300, deadline=None)
def test_a_well_framed_but_random_header_is_refused(header: bytes, body: bytes) -> None:
    with pytest.raises(wire.WireError):
        through(framed(header, body))


@given(plain_data(), st.data())
@settings(max_examples=400, deadline=None)
def test_a_mutated_frame_is_refused_or_read_as_plain_data(value: Any, data: st.DataObject) -> None:
    frame = bytearray(b"".join(wire.encode(value)))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(frame) - 1))
        frame[place] = data.draw(st.integers(0, 255))
    try:
        wire.encode(through(bytes(frame)))
    except REFUSALS:
        return


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*"dtifcasTbSx"]), inner, min_size=1, max_size=2)
    ),
    max_leaves=12,
)  # fmt: skip


@given(
    JSON,
    st.lists(
        st.tuples(
            st.sampled_from([*wire.NUMPY_KINDS, "bytes", "text", "bf2", "O"]),
            st.lists(st.integers(-1, 3), max_size=3),
        ),
        max_size=3,
    ),
)
@settings(max_examples=400, deadline=None)
def test_a_tree_with_tags_in_impossible_places_is_refused_or_plain(
    node: Any, declared: Any
) -> None:
    size = 0
    for kind, shape in declared:
        item = (
            wire.NUMPY_KINDS[kind].itemsize
            if kind in wire.NUMPY_KINDS
            else 2
            if kind == "bf2"
            else 1
        )
        size += max(0, math.prod(shape)) * item
    try:
        wire.encode(through(tree(node, [list(entry) for entry in declared], b"\x41" * size)))
    except REFUSALS:
        return


@pytest.mark.parametrize(
    "header",
    [
        b'{"tree": NaN, "buffers": []}',
        b'{"tree": -Infinity, "buffers": []}',
        b'{"tree": 1, "tree": 2, "buffers": []}',
        b'{"tree": {"d": {"x": 1, "x": 2}}, "buffers": []}',
        b'{"tree": {"d": {"\\ud800": 1}}, "buffers": []}',
        b'{"tree": 1}',
        b'{"tree": 1, "buffers": [], "pickle": "x"}',
        b'{"tree": 1, "buffers": {}}',
        b'{"tree": {"a": 0}, "buffers": []}',
        b'{"tree": {"a": true}, "buffers": [["f8", [0]]]}',
        b'{"tree": {"a": 0}, "buffers": [["O", [0]]]}',
        b'{"tree": {"a": 0}, "buffers": [["f8", [-1]]]}',
        b'{"tree": {"a": 0}, "buffers": [["f8", [1.0]]]}',
        b'{"tree": {"a": 0}, "buffers": [["f8", [0, 4503599627370496, 4503599627370496]]]}',
        b'{"tree": [{"a": 0}, {"a": 0}], "buffers": [["f8", [0]]]}',
        b'{"tree": 1, "buffers": [["f8", [0]]]}',
        b'{"tree": {"s": 0}, "buffers": [["f8", [0]]]}',
        b'{"tree": {"S": 0}, "buffers": [["bytes", [0]]]}',
        b'{"tree": {"i": "1e5"}, "buffers": []}',
        b'{"tree": {"f": "1.0"}, "buffers": []}',
        b'{"tree": ' + b"[" * 33 + b"]" * 33 + b', "buffers": []}',
        b'{"tree": [' + b"1," * 30_000 + b'1], "buffers": []}',
        b'{"tree": ' + b"9" * 5000 + b', "buffers": []}',
        b'"' + b'\\"' * 32_000,
        b'{"tree": "\xff", "buffers": []}',
        b"",
    ],
)  # fmt: skip
def test_a_header_that_breaks_a_rule_is_refused_at_once(header: bytes) -> None:
    began = time.process_time()
    with pytest.raises(wire.WireError):
        through(framed(header))
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    ("header_size", "body_size"),
    [(2**32 - 1, 0), (wire.MAX_HEADER_BYTES + 1, 0), (10, 2**64 - 1), (10, 2**20 + 1)],
)
def test_a_size_that_lies_allocates_nothing(header_size: int, body_size: int) -> None:
    tracemalloc.start()
    with pytest.raises(wire.WireError):
        through(wire.PREAMBLE.pack(header_size, body_size) + b"x" * 100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**18


def test_a_body_must_be_as_long_as_its_header_declares() -> None:
    header = b'{"tree": {"a": 0}, "buffers": [["f8", [100000]]]}'
    tracemalloc.start()
    with pytest.raises(wire.WireError):
        through(framed(header, b"12345678"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**18


def test_a_frame_that_stops_in_the_middle_is_closed_or_timed_out() -> None:
    frame = b"".join(wire.encode({"x": np.ones(100)}))
    for length in (0, 5, 12, 30, len(frame) - 1):
        with pytest.raises(wire.WireClosed):
            through(frame[:length])
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.send(frame[:length])
            with pytest.raises(wire.WireTimeout):
                wire.receive(ours, time.monotonic() + 0.02, 2**20)


def test_a_writer_to_somebody_who_never_reads_gives_up_at_the_deadline() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        looks = 0

        def idle() -> None:
            nonlocal looks
            looks += 1

        with pytest.raises(wire.WireTimeout):
            wire.send(ours, wire.encode(np.ones(10**6)), time.monotonic() + 0.2, idle)
        assert looks >= 2


def test_what_is_not_plain_data_is_named_and_not_sent() -> None:
    class Mine(np.ndarray):
        pass

    for value in (object(), {1: 2}, {1, 2}, np.ones(2).view(Mine), np.array(["x"]), range(3)):
        assert isinstance(through(b"".join(wire.encode(value))), wire.NotPlainData)
    assert struct.calcsize(">IQ") == wire.PREAMBLE.size
