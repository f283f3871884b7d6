"""Everything that reads hostile bytes, each as one function of bytes that must end quietly.

A target raises for a hole and for nothing else: the errors that its reader declares are caught here, any
other one is a finding, and so are an input that takes longer than `SECONDS` and one that allocates more
than its reader's caps allow.
"""

import json
import select
import signal
import socket
import time
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError

from grader import notebook, percent
from grader.compare import compare, show, unfit
from grader.conversation import Answered, Conversation, complain_of_changes, outputs_of
from grader.errors import LabError, NotebookError
from grader.inside import wire
from grader.kit import Network, ServiceError
from grader.protocol import (
    CheckDone,
    Claim,
    ClaimRequest,
    Finish,
    GradingReport,
    GradingRequest,
    Heartbeat,
)
from grader.sandbox.jail import Exchange
from grader.services import Service, ServiceDesk, TooManyCalls, exported
from grader.session import NotebookSession
from grader.switch import NetworkFailed, OutOfTime, RankTrouble, Switch
from labs.catalog import read_lab, student_notebook

ROOT = Path(__file__).resolve().parents[2]
TINY = read_lab(ROOT / "tests" / "fixtures" / "labs" / "tiny")
CORPUS = Path(__file__).parent / "corpus"
SECONDS = 2.0
MIB = 2**20
MAX_ANSWER = 2**20
REFUSALS = (wire.WireError, wire.WireClosed, wire.WireTimeout)


@dataclass(frozen=True)
class Target:
    """One reader. `most_mib` is what one input may make it allocate."""

    name: str
    read: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    most_mib: int = 16


class TooSlow(Exception):
    """One input took longer than any input may."""


def checked(target: Target, data: bytes, *, measured: bool = False) -> None:
    """Read one input under a clock, and with its memory counted where that is asked for.

    Raises:
        TooSlow, AssertionError, or whatever the reader did not declare.
    """

    def ring(number: int, frame: FrameType | None) -> None:
        raise TooSlow(f"{target.name}: over {SECONDS} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    if measured:
        tracemalloc.start()
    try:
        target.read(data)
        if measured:
            peak = tracemalloc.get_traced_memory()[1]
            assert peak < target.most_mib * MIB, f"{target.name}: {peak / MIB:.0f} MiB"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if measured:
            tracemalloc.stop()


# --- frames ----------------------------------------------------------------------------------------

VALUES: list[Any] = [
    None,
    {"outputs": {"y": 1.5}, "changed": [], "seconds": 0.1},
    {"outputs": {"y": np.arange(6.0).reshape(2, 3)}, "changed": ["x"], "seconds": 0.1},
    {"exception": {"type": "ValueError", "text": "x" * 300, "trace": [["double", 1, "f"]]}},
    {"cells": [{"error": None, "seconds": 0.1}], "forkable": True},
    {"start": 0},
    {"ended": -9},
    {"unsendable": "too many parts"},
    [1, 2.5, True, None, "a", b"bc", (1, 2), 10**40, float("nan"), 1j, np.float32(3), {"k": []}],
    {"a": np.zeros((0, 3), "<c16"), "b": np.array(7, "<u1"), "c": b"x" * 400},
]
EXPECTED: list[Any] = [1.5, 3, None, True, 2j, "a", [1, 2.5], {"y": np.arange(6.0).reshape(2, 3)}]


def _header(data: bytes) -> None:
    try:
        wire.parse_header(data)
    except wire.WireError:
        return


def _judged(value: Any) -> None:
    """What the referee does with an answer: it is compared, searched for NaN, and shown."""
    answer = value.get("outputs") if isinstance(value, dict) else value
    for expected in EXPECTED:
        found = compare(answer, expected)
        assert found is None or len(show(answer)) <= 400
    unfit(answer)


def _decode(data: bytes) -> None:
    """A two-byte length, a header, and all the rest as the body."""
    size = int.from_bytes(data[:2], "big")
    header, body = data[2 : 2 + size], data[2 + size :]
    try:
        tree, declared = wire.parse_header(header)
        if sum(each for _, _, each in declared) != len(body):
            return
        _judged(wire.decode(tree, declared, body))
    except wire.WireError:
        return


class QuietJail:
    """As much of a jail as an exchange looks at while it waits."""

    over_memory, used_bytes, seen_oom_kills, student_ended = False, 0, 0, True
    cpu_spent: frozenset[int] = frozenset()

    def oom_kills(self) -> int:
        return 0

    def hear_init(self, seconds: float = 0.0) -> None: ...
    def forget(self, number: int) -> None: ...
    def cancelled(self) -> bool:
        return False


def _hear(data: bytes) -> None:
    """The loop that waits for answers, up to the verdict. The first byte says how the rest comes: in how
    many pieces, with how much output beside it, and whether the other end is closed at last."""
    from grader.referee import referee_for

    how, data = (data[0], data[1:]) if data else (0, b"")
    check = referee_for(TINY).checks[0]
    cells = notebook.restore(TINY, notebook.reference_answers(TINY))
    session = NotebookSession(None, "numpy", TINY.limits, cells, lambda: False)  # type: ignore[arg-type]
    talk = Conversation(referee_for(TINY), session, check, "0" * 64)
    talk.inputs = talk.referee.inputs(check, "0" * 64, 0)
    limits = TINY.limits.model_copy(update={"answer_mib": 1, "output_kib": 1})
    with ExitStack() as stack:
        exchange = Exchange(QuietJail(), limits, 0.02)  # type: ignore[arg-type]
        stack.callback(exchange.close)
        their = exchange._their_channel
        their.setblocking(False)
        step = max(1, len(data) >> (how & 3))
        began = time.monotonic()
        try:
            for start in range(0, len(data), step):
                _write(their, data[start : start + step])
                if how & 4:
                    exchange.say({"x": np.zeros(3)})
            if how & 8:
                exchange.passed_on()
            for _ in range(20):
                frame = exchange.hear()
                try:
                    if how & 16:
                        session._take_results(cells, frame)
                    talk.judge(outputs_of(frame, session), {"y": np.zeros((2, 3))}, None)
                except Answered as answered:
                    json.dumps(answered.fields, default=str)
        except (*REFUSALS,):
            return
        finally:
            assert time.monotonic() - began < SECONDS / 2


def _write(sock: socket.socket, data: bytes) -> None:
    try:
        sock.send(data)
    except BlockingIOError:
        select.select([], [sock], [], 0)


def _ranks(data: bytes) -> None:
    """Two ranks' frames through a switch, to the record. The first byte says which of them speaks when, and
    where the first one's part of the rest ends."""
    how, data = (data[0], data[1:]) if data else (0, b"")
    cut = len(data) * (how & 7) // 8
    limits = TINY.limits.model_copy(update={"answer_mib": 1, "output_kib": 1})
    with ExitStack() as stack:
        exchanges = [Exchange(QuietJail(), limits, 0.05) for _ in range(2)]  # type: ignore[arg-type]
        for exchange, piece in zip(exchanges, (data[:cut], data[cut:]), strict=True):
            stack.callback(exchange.close)
            exchange._their_channel.setblocking(False)
            _write(exchange._their_channel, piece)
            if how & 8:
                exchange.passed_on()
        network = Network(collectives=bool(how & 16), reorder=bool(how & 32), max_messages=50)
        switch = Switch(exchanges, network, 1)
        try:
            for rank, frame in enumerate(switch.run()):
                _outcome(rank, frame)
        except (NetworkFailed, OutOfTime, RankTrouble):
            pass
        for rank in switch.failed:
            _outcome(rank, switch.answers[rank])
        for record in switch.timeline():
            assert "\\u0000" not in record.model_dump_json()
        switch.consequences()


def _outcome(rank: int, frame: Any) -> None:
    cells = notebook.restore(TINY, notebook.reference_answers(TINY))
    session = NotebookSession(None, "numpy", TINY.limits, cells, lambda: False)  # type: ignore[arg-type]
    try:
        outputs_of(frame, session)
        complain_of_changes([frame])
    except (Answered, wire.WireError):
        return


class Shop(Service):
    """A service with the kinds of parameters that labs have."""

    max_calls, max_mib = 20, 1.0

    @exported
    def buy(self, tokens: list[int], size: float = 1.0, name: str | None = None) -> Any:
        if size < 0:
            raise ServiceError(f"{size} is negative")
        return np.array(tokens, dtype="i8"), name

    @exported
    def __call__(self, x: np.ndarray) -> Any:
        return x.sum(axis=0)


def _services(data: bytes) -> None:
    """A two-byte length and a header as for `decode`: a call of a service, asked until it is one too many."""
    size = int.from_bytes(data[:2], "big")
    header, body = data[2 : 2 + size], data[2 + size :]
    desk = ServiceDesk({"shop": Shop()})
    try:
        tree, declared = wire.parse_header(header)
        if sum(each for _, _, each in declared) != len(body):
            return
        call = wire.decode(tree, declared, body)
        for _ in range(25):
            parts = desk.answer(call)
            assert sum(map(len, parts)) < 2 * MIB
    except (wire.WireError, TooManyCalls):
        return


OPERATIONS: list[Any] = [
    {"post": 0, "operation": {"kind": "send", "peer": 1, "tag": 0, "value": np.arange(3.0)}},
    {"post": 0, "operation": {"kind": "recv", "peer": 0, "tag": 0}},
    {"post": 0, "operation": {"kind": "all_reduce", "op": "sum", "value": np.arange(3)}},
    {"post": 0, "operation": {"kind": "all_to_all", "value": [1.5, [None, "x"]]}},
    {"post": 0, "operation": {"kind": "scatter", "root": 1, "value": None}},
    {"post": 0, "operation": {"kind": "mark", "text": "backward"}},
    {"post": 0, "operation": {"kind": "barrier"}},
    {"wait": 0},
]
ENDS: list[Any] = [
    {"outputs": {"y": np.arange(2.0)}, "changed": [], "seconds": 0.1},
    {"exception": {"type": "ValueError", "text": "x", "trace": [["double", 1, "f"]]}},
    {"ended": -9},
]


def _talks() -> list[bytes]:
    found = []
    for number, operation in enumerate(OPERATIONS):
        for end in ENDS:
            first = b"".join(wire.encode(operation)) + b"".join(wire.encode({"wait": 0}))
            found.append(bytes([number * 8 | 4]) + first + b"".join(wire.encode(end)))
    one = b"".join(wire.encode(OPERATIONS[2])) + b"".join(wire.encode(ENDS[0]))
    return [*found, bytes([4 | 16]) + one + one]


def _calls() -> list[bytes]:
    calls: list[Any] = [
        ["shop", "buy", [[1, 2, 3]], {"size": 2.0}],
        ["shop", "__call__", [np.ones((2, 2))], {}],
        ["shop", "buy", [[1]], {"name": None}],
        ["other", "x", [], {}],
    ]
    found = []
    for call in calls:
        _, header, *body = wire.encode(call)
        found.append(len(header).to_bytes(2, "big") + bytes(header) + b"".join(body))
    return found


# --- files and messages ----------------------------------------------------------------------------


def _notebook(data: bytes) -> None:
    try:
        answers = notebook.read_answers(TINY, data)
        notebook.restore(TINY, answers)
        again = student_notebook(TINY, answers)
        assert notebook.read_answers(TINY, again) == answers
    except NotebookError:
        return


def _percent(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        for cell in percent.read_percent(text):
            cell.student_source()
            cell.reference_source()
    except LabError:
        pass
    try:
        percent.read_fragment(text, file="it.py")
    except LabError:
        return


MESSAGES: tuple[type[BaseModel], ...] = (
    GradingReport, GradingRequest, Claim, ClaimRequest, Heartbeat, CheckDone, Finish,
)  # fmt: skip


def _protocol(data: bytes) -> None:
    for message in MESSAGES:
        try:
            message.model_validate_json(message.model_validate_json(data).model_dump_json())
        except ValidationError:
            continue


def _frames() -> list[bytes]:
    return [b"".join(wire.encode(value)) for value in VALUES]


def _parts() -> list[bytes]:
    found = []
    for value in VALUES:
        _, header, *body = wire.encode(value)
        found.append(len(header).to_bytes(2, "big") + bytes(header) + b"".join(body))
    return found


def _reports() -> list[bytes]:
    sha = "a" * 64
    request = GradingRequest(
        attempt="a", lab="tiny", lab_hash=sha, submission_sha256=sha, seed=sha, notebook="{}"
    )
    report = GradingReport(attempt="a", lab="tiny", lab_hash=sha, submission_sha256=sha)
    token = "t" * 20
    claim = Claim(request=request, lease_token=token, lease_seconds=30, heartbeat_seconds=10)
    finish = Finish(lease_token=token, report=report)
    return [each.model_dump_json().encode() for each in (request, report, claim, finish)]


TARGETS = {
    target.name: target
    for target in (
        Target("header", _header, lambda: [bytes(wire.encode(value)[1]) for value in VALUES]),
        Target("decode", _decode, _parts),
        Target("hear", _hear, lambda: [bytes([n]) + f for n, f in enumerate(_frames())]),
        Target("ranks", _ranks, _talks),
        Target("services", _services, _calls),
        Target("notebook", _notebook, lambda: [student_notebook(TINY)], most_mib=400),
        Target("percent", _percent, lambda: [(TINY.folder / "lab.py").read_bytes()], most_mib=64),
        Target("protocol", _protocol, _reports, most_mib=64),
    )
}


def corpus(target: Target) -> list[bytes]:
    """Its seeds, and what was found once and mended."""
    found = sorted((CORPUS / target.name).glob("*"))
    return [*target.seeds(), *(path.read_bytes() for path in found)]
