"""The trusted network between the ranks of one check: every frame goes through here and is counted.

Each rank sits in a jail of its own and has one channel, to this switch. A rank *posts* operations, which
needs no answer, and *waits* for one, which gets exactly one. So at every moment it is known who waits for
what: when all ranks do and nothing is under way, that is a deadlock, told at once and in words.

What a rank says about another is not believed, because it cannot be said: a frame's sender is the channel
on which it came. A rank that breaks the protocol ends its own check.
"""

import select
import time
from collections.abc import Sequence
from typing import Any

from grader.errors import Cancelled
from grader.inside import wire
from grader.kit import CommError, Event, Exceeded, Fabric, Mismatch, Network, Traffic
from grader.plain import strange
from grader.protocol import MAX_SPANS, RankRecord, Span
from grader.sandbox.jail import MIB, Exchange, MemoryExceeded, OutputFlood
from grader.session import clean

LOOK_SECONDS = 0.05
MAX_ALL_SPANS = 1_000  # of one check: the record is part of a report, whose size has a limit
GRACE_SECONDS = 1.0  # for the others, once a rank has failed
TROUBLE = (
    wire.WireTimeout,
    wire.WireClosed,
    wire.WireError,
    MemoryExceeded,
    OutputFlood,
)


class NetworkFailed(Exception):
    """The ranks used the network in a way that cannot work; the text is for the student."""


class OutOfTime(Exception):
    """The deadline passed; the text says who waits for whom."""


class RankTrouble(Exception):
    """One rank ended, or broke a limit or the protocol; the cause says how."""

    def __init__(self, rank: int, error: BaseException) -> None:
        super().__init__(rank)
        self.rank, self.error = rank, error


class Switch:
    """One trial. `run` comes back when every rank has answered, or nobody can go on."""

    def __init__(self, exchanges: Sequence[Exchange], network: Network, seed: int) -> None:
        self.exchanges = exchanges
        self.fabric = Fabric(len(exchanges), time.monotonic, network, seed)
        self.answers: list[Any] = [None] * len(exchanges)
        self.failed: list[int] = []  # ranks whose body raised or ended, in order
        self._refused: dict[int, str] = {}
        self._ended_at: dict[int, float] = {}
        self._give_up = float("inf")

    def run(self) -> list[Any]:
        """The last frame of each rank.

        Raises:
            NetworkFailed, OutOfTime, RankTrouble, Cancelled
        """
        while len(self.fabric.ended) < len(self.exchanges):
            self._reply()
            if self.fabric.stuck() or time.monotonic() > self._give_up:
                if self.failed:
                    break
                raise NetworkFailed(f"Deadlock: {self.fabric.who_waits()}.")
            if time.monotonic() > min(exchange.deadline for exchange in self.exchanges):
                raise OutOfTime(self.fabric.who_waits())
            for rank in self._ready():
                self._take(rank)
        for rank, text in self._refused.items():
            raise NetworkFailed(f"rank {rank}: {text}")
        return self.answers

    def watch(self) -> None:
        """Every rank's limits."""
        for rank, exchange in enumerate(self.exchanges):
            try:
                exchange.watch()
            except Cancelled:
                raise
            except TROUBLE as error:
                raise RankTrouble(rank, error) from None

    def _reply(self) -> None:
        for rank, value in self.fabric.take_ready():
            self._say(rank, {"done": value})

    def _say(self, rank: int, value: Any) -> None:
        try:
            parts = wire.encode(value)
        except (
            wire.WireError
        ):  # together the others' values are too much for one frame: not this rank's doing
            raise NetworkFailed(
                f"What rank {rank} would receive has too many parts; send arrays in place of long lists."
            ) from None
        try:
            self.exchanges[rank].say_parts(parts)
        except TROUBLE as error:
            raise RankTrouble(rank, error) from None

    def _ready(self) -> list[int]:
        """Ranks that have said something, after at most 50 ms."""
        poll = select.poll()
        rank_of = {}
        for rank, exchange in enumerate(self.exchanges):
            if rank not in self.fabric.ended:
                rank_of[exchange.channel.fileno()] = rank
                poll.register(exchange.channel, select.POLLIN)
        due = self.fabric.next_due()
        self.watch()
        pause = LOOK_SECONDS if due is None else min(due, LOOK_SECONDS)
        return [rank_of[descriptor] for descriptor, _ in poll.poll(pause * 1000)]

    def _take(self, rank: int) -> None:
        exchange = self.exchanges[rank]
        try:
            most = exchange.limits.answer_mib * MIB
            frame = wire.receive(exchange.channel, exchange.deadline, most, self.watch)
            if not isinstance(frame, dict):
                raise wire.WireError("a rank said something that is no frame")
            if rank in self.fabric.waiting and "ended" not in frame:
                raise wire.WireError("a rank spoke while it waited")
            if frame.keys() == {"post", "operation"}:
                self._post(rank, frame["post"], frame["operation"])
            elif frame.keys() == {"wait"}:
                self._wait(rank, frame["wait"])
            else:
                self._end(rank, frame)
        except wire.WireClosed as error:
            over = exchange.jail.over_memory
            raise RankTrouble(rank, MemoryExceeded() if over else error) from None
        except TROUBLE as error:
            raise RankTrouble(rank, error) from None

    def _post(self, rank: int, number: Any, operation: Any) -> None:
        if type(number) is not int or not isinstance(operation, dict):
            raise wire.WireError("a rank posted something that is no operation")
        if rank in self._refused:
            return
        try:
            if (name_of_type := strange(operation.get("value"))) is not None:
                raise CommError(f"a value of type {name_of_type} cannot be sent")  # noqa: TRY301
            self.fabric.post(rank, number, operation)
        except CommError as error:  # told when the rank waits for it
            self._refused[rank] = str(error)
        except (Mismatch, Exceeded) as error:
            raise NetworkFailed(clean(error, 1000)) from None

    def _wait(self, rank: int, number: Any) -> None:
        if type(number) is not int:
            raise wire.WireError("a rank waits for something that is no number")
        if rank in self._refused:
            self._say(rank, {"refused": self._refused.pop(rank)})
            return
        try:
            self.fabric.wait(rank, number)
        except CommError as error:
            self._say(rank, {"refused": str(error)})

    def _end(self, rank: int, frame: dict[str, Any]) -> None:
        self.answers[rank] = frame
        how = "has finished"
        if "outputs" not in frame:
            self.failed.append(rank)
            self._give_up = min(self._give_up, time.monotonic() + GRACE_SECONDS)
            how = "has failed"
        self._ended_at[rank] = self.fabric.now()
        self.fabric.end(rank, how)

    def consequences(self) -> str:
        """What became of the others after a rank failed: `rank 1 then waits in recv from 3`."""
        waiting = [
            text.replace("waits", "then waits")
            for text in self.fabric.who_waits().split("; ")
            if " waits in " in text
        ]
        return "; ".join(waiting)

    def traffic(self) -> Traffic:
        return self.fabric.traffic()

    def timeline(self) -> tuple[RankRecord, ...]:
        """The rank × time record, as far as it is kept."""
        traffic, now = self.traffic(), self.fabric.now()
        most = min(MAX_SPANS, MAX_ALL_SPANS // len(self.exchanges))
        records = []
        for rank in range(len(self.exchanges)):
            events = [event for event in traffic.events if event.rank == rank]
            records.append(
                RankRecord(
                    rank=rank,
                    spans=tuple(_span(event, now) for event in events[:most]),
                    messages=sum(event.kind not in ("mark", "recv") for event in events),
                    bytes=int(traffic.volume(rank)),
                    ended=_rounded(self._ended_at.get(rank)),
                    error="" if rank not in self.failed else "failed",
                )
            )
        return tuple(records)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def _span(event: Event, now: float) -> Span:
    ends = [time for time in (event.complete, event.returned) if time is not None]
    end = max(event.posted, min(max(ends), now)) if ends else now
    waited = 0.0 if event.waited_from is None else max(0.0, end - event.waited_from)
    return Span(
        kind=clean(f"mark {event.text}", 24) if event.kind == "mark" else event.kind,
        start=round(event.posted, 6),
        end=round(end, 6),
        peer=event.peer,
        bytes=event.bytes,
        waited=round(waited, 6),
    )
