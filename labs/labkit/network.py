"""What a network between ranks does, without any wire: matches sends with receives, runs collectives, and
keeps the record of all of it.

The grader's switch, `launch` and the referee's own run all stand on this one `Fabric`, so that a notebook
meets the same rules everywhere: a message waits for its receive, collectives match by their order, and
when every rank waits for something that can no longer happen, that is known at once.
"""

import math
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .comm import OPERATIONS, CommError
from .values import kind_of, payload_bytes, reduce_values

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
KINDS = ("send", "recv", "mark", *COLLECTIVES)
FIELDS = {"send": {"peer", "tag", "value"}, "recv": {"peer", "tag"}, "mark": {"text"}}
MAX_TAG = 2**31


@dataclass(frozen=True, slots=True)
class Network:
    """What the network of one check is like.

    Attributes:
        collectives: whether there are any besides `barrier`.
        delay: every message and collective takes this many seconds more.
        slow: further seconds for whatever that rank sends, e.g. `{2: 0.01}`: a straggler.
        reorder: independent messages overtake each other (up to `jitter` seconds, drawn from the
            check's seed). Messages of one pair and tag keep their order.
        max_messages: operations of all ranks in one trial; more are refused.
        max_mib: what all ranks may send in one trial.
    """

    collectives: bool = True
    delay: float = 0.0
    slow: Mapping[int, float] = field(default_factory=dict)
    reorder: bool = False
    jitter: float = 0.003
    max_messages: int = 20_000
    max_mib: float = 256.0


@dataclass(slots=True)
class Event:
    """One operation of one rank. Times are seconds since the trial began; None: it never happened."""

    rank: int
    order: int  # among the events of all ranks
    kind: str
    peer: int | None = None
    tag: int = 0
    op: str = ""
    text: str = ""  # of a mark
    shape: tuple[int, ...] = ()
    bytes: int = 0  # of the value that this rank gave
    volume: float = 0.0  # bytes that this rank sends, a collective counted as its ring algorithm
    posted: float = 0.0
    waited_from: float | None = None
    complete: float | None = None
    returned: float | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """The record of a finished trial: facts, for `verify(inputs, outputs, network)`."""

    world: int
    events: tuple[Event, ...]
    unreceived: int = 0  # messages that were sent and that nobody received

    def of(self, rank: int | None = None, kind: str | None = None) -> list[Event]:
        """The events of one rank, of one kind, in order; marks only when asked for."""
        return [
            event
            for event in self.events
            if (rank is None or event.rank == rank)
            and (event.kind == kind if kind else event.kind != "mark")
        ]

    def count(self, kind: str, rank: int | None = None) -> int:
        """How many operations of that kind were begun."""
        return len(self.of(rank, kind))

    def sent(self, rank: int) -> list[Event]:
        """The messages that a rank sent, in order."""
        return self.of(rank, "send")

    def bytes_sent(self, rank: int) -> int:
        """Bytes in the messages (not the collectives) that a rank sent."""
        return sum(event.bytes for event in self.sent(rank))

    def volume(self, rank: int) -> float:
        """Bytes that a rank sends in all, with each collective counted as its ring algorithm.

        all_reduce 2(p−1)/p·N; reduce_scatter and all_gather (p−1)/p·N with N the whole, uncut value;
        broadcast and scatter (p−1)/p·N on average over the ranks; all_to_all and gather what leaves
        this rank; a message its bytes.
        """
        return sum(event.volume for event in self.of(rank))

    def marked(self, rank: int, text: str) -> int | None:
        """The order of a rank's first mark of that text."""
        return next((e.order for e in self.of(rank, "mark") if e.text == text[:18]), None)


@dataclass(slots=True)
class _Post:
    event: Event
    value: Any = None
    root: int | None = None
    result: Any = None
    due: float | None = None  # when it is complete, once it was matched


class Mismatch(Exception):
    """Ranks called different collectives: nobody can go on."""


class Exceeded(Exception):
    """More messages or bytes than the network carries in one trial."""


class Fabric:
    """The network of one trial. Not thread-safe: its owner calls it from one place at a time."""

    def __init__(
        self, world: int, clock: Callable[[], float], network: Network | None = None, seed: int = 0
    ) -> None:
        self.world = world
        self.network = network or Network()
        self._clock, self._began = clock, clock()
        self._random = random.Random(seed)
        self.events: list[Event] = []
        self._posts: list[dict[int, _Post]] = [{} for _ in range(world)]
        self._sends: dict[tuple[int, int, int], deque[_Post]] = {}
        self._receives: dict[tuple[int, int, int], deque[_Post]] = {}
        self._last_due: dict[tuple[int, int, int], float] = {}
        self._called: list[list[_Post]] = [[] for _ in range(world)]  # collectives, by rank
        self._bytes = 0
        self.waiting: dict[int, int] = {}  # rank → number of the operation that it waits for
        self.ended: dict[int, str] = {}  # rank → how, in words

    def now(self) -> float:
        return self._clock() - self._began

    # --- what ranks do ---

    def post(self, rank: int, number: int, operation: Mapping[str, Any]) -> None:
        """Begin an operation.

        Raises:
            CommError: its description makes no sense. Mismatch, Exceeded: the trial is over.
        """
        kind, peer, tag, op, root = self._read(rank, operation)
        value = operation.get("value")
        event = Event(
            rank=rank,
            order=len(self.events),
            kind=kind,
            peer=peer if peer is not None else root,
            tag=tag,
            op=op,
            text=operation.get("text", "")[:18],
            shape=tuple(getattr(value, "shape", ())),
            bytes=payload_bytes(value),
            posted=self.now(),
        )
        if number in self._posts[rank] or number != len(self._posts[rank]):
            raise CommError("operations are numbered one after the other")
        self.events.append(event)
        self._bytes += event.bytes
        if len(self.events) > self.network.max_messages:
            raise Exceeded(f"more than {self.network.max_messages} operations")
        if self._bytes > self.network.max_mib * 2**20:
            raise Exceeded(f"more than {self.network.max_mib:g} MiB")
        post = _Post(event, value, root)
        self._posts[rank][number] = post
        if kind == "mark":
            self._complete(post, None, event.posted)
        elif kind in ("send", "recv"):
            event.volume = event.bytes if kind == "send" else 0
            self._match(post)
        else:
            self._called[rank].append(post)
            self._join(len(self._called[rank]) - 1)

    def wait(self, rank: int, number: int) -> None:
        """The rank stands still until that operation is complete."""
        post = self._posts[rank].get(number)
        if post is None or rank in self.waiting or post.event.returned is not None:
            raise CommError("there is no such operation to wait for")
        post.event.waited_from = self.now()
        self.waiting[rank] = number

    def end(self, rank: int, how: str = "has finished") -> None:
        """The rank does nothing any more."""
        self.ended[rank] = how
        self.waiting.pop(rank, None)

    # --- what its owner asks ---

    def take_ready(self) -> list[tuple[int, Any]]:
        """The ranks that may go on, with what they get; they wait no longer."""
        now, ready = self.now(), []
        for rank, number in list(self.waiting.items()):
            post = self._posts[rank][number]
            if post.due is not None and post.due <= now:
                del self.waiting[rank]
                post.event.returned = now
                ready.append((rank, post.result))
                post.result = post.value = None
        return ready

    def next_due(self) -> float | None:
        """Seconds until a rank that waits may go on; None when nothing is under way for any."""
        dues = [self._posts[rank][number].due for rank, number in self.waiting.items()]
        return min((max(0.0, due - self.now()) for due in dues if due is not None), default=None)

    def stuck(self) -> bool:
        """Whether every rank that has not ended waits for what can no longer happen."""
        alive = self.world - len(self.ended)
        return alive > 0 and len(self.waiting) == alive and self.next_due() is None

    def who_waits(self) -> str:
        """`rank 2 waits in recv from 1; rank 1 waits in all_reduce #7; rank 0 has finished`."""
        return "; ".join(f"rank {rank} {self._state(rank)}" for rank in range(self.world))

    def _state(self, rank: int) -> str:
        if rank in self.ended:
            return self.ended[rank]
        if rank not in self.waiting:
            return "computes"
        return f"waits in {self._called_as(self._posts[rank][self.waiting[rank]])}"

    def _called_as(self, post: _Post) -> str:
        event = post.event
        tag = f" (tag {event.tag})" if event.tag else ""
        if event.kind == "send":
            return f"send to {event.peer}{tag}"
        if event.kind == "recv":
            return f"recv from {event.peer}{tag}"
        return f"{event.kind} #{self._called[event.rank].index(post) + 1}"

    def traffic(self) -> Traffic:
        """The record so far."""
        unreceived = sum(len(queue) for queue in self._sends.values())
        return Traffic(self.world, tuple(self.events), unreceived)

    # --- reading and matching ---

    def _read(self, rank: int, operation: Mapping[str, Any]) -> tuple[Any, ...]:
        """Kind, peer, tag, op and root of an operation that a stranger may have described."""
        kind = operation.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise CommError("there is no such operation")
        if kind in COLLECTIVES and kind != "barrier" and not self.network.collectives:
            raise CommError(f"there is no {kind} here")
        allowed = FIELDS.get(kind, {"value", "op", "root"}) | {"kind"}
        if set(operation) - allowed:
            raise CommError(f"a {kind} has no such field")
        if type(operation.get("text", "")) is not str or type(operation.get("op", "")) is not str:
            raise CommError(f"the text or the reduction of a {kind} is no text")
        peer, tag = operation.get("peer"), operation.get("tag", 0)
        op, root = operation.get("op", ""), operation.get("root")
        if kind in ("send", "recv") and (not self._is_rank(peer) or peer == rank):
            raise CommError("there is no such rank to exchange messages with")
        if type(tag) is not int or not 0 <= tag < MAX_TAG:
            raise CommError("a tag is a whole number from 0")
        if op != "" and op not in OPERATIONS:
            raise CommError("there is no such reduction")
        if (root is not None or kind in ("broadcast", "scatter", "gather")) and not self._is_rank(
            root
        ):
            raise CommError("there is no such root")
        if (op == "") != (kind not in ("all_reduce", "reduce_scatter")):
            raise CommError(f"a {kind} with such a reduction makes no sense")
        return kind, peer, tag, op, root

    def _is_rank(self, rank: Any) -> bool:
        return type(rank) is int and 0 <= rank < self.world

    def _match(self, post: _Post) -> None:
        event = post.event
        assert event.peer is not None
        outgoing = event.kind == "send"
        pair = (event.rank, event.peer) if outgoing else (event.peer, event.rank)
        key = (*pair, event.tag)
        theirs = (self._receives if outgoing else self._sends).get(key)
        if not theirs:
            mine = self._sends if outgoing else self._receives
            mine.setdefault(key, deque()).append(post)
            return
        other = theirs.popleft()
        send, receive = (post, other) if outgoing else (other, post)
        due = max(self.now() + self._extra(key[0]), self._last_due.get(key, 0.0))
        self._last_due[key] = due
        self._complete(receive, send.value, due)
        self._complete(send, None, due)

    def _extra(self, sender: int) -> float:
        jitter = self._random.uniform(0.0, self.network.jitter) if self.network.reorder else 0.0
        return self.network.delay + self.network.slow.get(sender, 0.0) + jitter

    @staticmethod
    def _complete(post: _Post, result: Any, due: float) -> None:
        post.result, post.due, post.value = result, due, None
        post.event.complete = due

    def _join(self, index: int) -> None:
        """Let the collective of that number happen once every rank has called it."""
        joined = [calls[index] for calls in self._called if len(calls) > index]
        self._agree(joined, index)
        if len(joined) < self.world:
            return
        try:
            results = _outcome(joined)
        except CommError as error:
            raise Mismatch(f"{joined[0].event.kind} #{index + 1}: {error}") from None
        due = self.now() + max(self._extra(rank) for rank in range(self.world))
        volumes = _volumes(joined)
        for post, result, volume in zip(joined, results, volumes, strict=True):
            post.event.volume = volume
            self._complete(post, result, due)

    @staticmethod
    def _agree(joined: list[_Post], index: int) -> None:
        first = joined[0]
        for other in joined[1:]:
            if _signature(first) != _signature(other):
                raise Mismatch(
                    f"collective #{index + 1} differs: rank {first.event.rank} calls "
                    f"{_described(first)}, rank {other.event.rank} calls {_described(other)}"
                )


def _signature(post: _Post) -> tuple[Any, ...]:
    """What has to be the same on every rank."""
    event = post.event
    same: tuple[Any, ...] = (event.kind, event.op, post.root)
    if event.kind in ("all_reduce", "all_gather"):
        same += (kind_of(post.value),)
    if event.kind == "reduce_scatter":
        same += (tuple(kind_of(part) for part in _list(post.value)),)
    return same


def _described(post: _Post) -> str:
    event = post.event
    op = f"({event.op})" if event.op else ""
    root = f" with root {post.root}" if post.root is not None else ""
    value = "" if event.kind == "barrier" or post.value is None else f" of {kind_of(post.value)}"
    return f"{event.kind}{op}{value}{root}"


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _outcome(joined: list[_Post]) -> list[Any]:
    """What every rank gets from a collective that all have called alike."""
    world, kind, op = len(joined), joined[0].event.kind, joined[0].event.op
    values = [post.value for post in joined]
    root = joined[0].root
    if kind == "barrier":
        return [None] * world
    if kind == "all_reduce":
        return [reduce_values(values, op)] * world
    if kind == "all_gather":
        return [values] * world
    if kind == "broadcast":
        assert root is not None
        for rank, value in enumerate(values):
            if value is not None and kind_of(value) != kind_of(values[root]):
                raise CommError(
                    f"rank {rank} passes {kind_of(value)}, the root's value is {kind_of(values[root])}"
                )
        return [values[root]] * world
    if kind == "gather":
        return [values if rank == root else None for rank in range(world)]
    if kind == "scatter":
        assert root is not None
        parts = _list(values[root])
        if len(parts) != world:
            raise CommError(f"the root has {len(parts)} parts for {world} ranks")
        return parts
    for rank, value in enumerate(values):
        if len(_list(value)) != world:
            raise CommError(f"rank {rank} has no list of {world} parts")
    columns = [[value[rank] for value in values] for rank in range(world)]
    if kind == "reduce_scatter":
        return [reduce_values(column, op) for column in columns]
    return columns  # all_to_all


def _volumes(joined: list[_Post]) -> list[float]:
    """Bytes that each rank sends, as `Traffic.volume` counts them."""
    world, kind = len(joined), joined[0].event.kind
    given = [post.event.bytes for post in joined]
    share = (world - 1) / world
    if kind == "all_reduce":
        return [2 * share * size for size in given]
    if kind == "reduce_scatter":
        return [share * size for size in given]
    if kind == "all_gather":
        return [share * world * size for size in given]
    if kind in ("broadcast", "scatter"):
        root = joined[0].root or 0
        return [share * given[root]] * world
    if kind == "all_to_all":
        return [
            math.fsum(payload_bytes(part) for r, part in enumerate(_list(post.value)) if r != rank)
            for rank, post in enumerate(joined)
        ]
    if kind == "gather":
        return [0.0 if rank == joined[0].root else float(size) for rank, size in enumerate(given)]
    return [0.0] * world
