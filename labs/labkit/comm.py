"""`Comm`: what one rank says to the others, by the same names wherever it runs.

The network behind it is a `Transport`: the referee's switch while a submission is graded, local
processes or threads in plain Jupyter (`labkit.launch`), torch.distributed on a cluster
(`labkit.distributed`). Nothing works in place: values are copied when they are posted, results are new.

    total = comm.all_reduce(gradient)                      # blocks
    work = comm.all_reduce(gradient, async_op=True)        # returns at once …
    total = work.wait()                                    # … and blocks here

A value is a numpy array or a torch tensor; `send` also carries other plain data (numbers, text, lists).
"""

from collections.abc import Sequence
from typing import Any, Protocol

OPERATIONS = ("sum", "avg", "max", "min", "prod")


class CommError(ValueError):
    """The network was used in a way that cannot work; the text says what is wrong."""


class Transport(Protocol):
    """Carries what one rank posts. Numbers count that rank's operations from 0."""

    def post(self, number: int, operation: dict[str, Any]) -> None:
        """Begin an operation; never waits for another rank."""
        ...

    def wait(self, number: int) -> Any:
        """Block until that operation is complete, and return what it gives."""
        ...


class Work:
    """Something under way. `wait()` blocks until it is complete and returns its result."""

    def __init__(self, transport: Transport, number: int) -> None:
        self._transport, self._number = transport, number
        self._done, self._value = False, None

    def wait(self) -> Any:
        """The result: what was received, reduced or gathered; None for a message that was sent."""
        if not self._done:
            self._value = self._transport.wait(self._number)
            self._done = True
        return self._value


class Comm:
    """One rank of a world.

    Point to point, `send` returns when the other rank has called the matching `recv`: two ranks that
    both send first wait for each other for ever. Messages between the same two ranks with the same tag
    arrive in the order in which they were sent.

    Collectives have to be called by every rank, in the same order, with the same kind of value.
    They are missing where a lab has them built out of messages (`collectives=False`).

    Attributes:
        rank: which rank this is, from 0.
        world: how many there are.
    """

    def __init__(
        self, rank: int, world: int, transport: Transport, *, collectives: bool = True
    ) -> None:
        self.rank, self.world = rank, world
        self._transport, self._collectives = transport, collectives
        self._posted = 0

    def __repr__(self) -> str:
        return f"<Comm rank {self.rank} of {self.world}>"

    # --- point to point ---

    def send(self, value: Any, dest: int, tag: int = 0) -> None:
        """Hand a value to rank `dest`; blocks until that rank receives it."""
        self.isend(value, dest, tag).wait()

    def recv(self, source: int, tag: int = 0) -> Any:
        """The next value from rank `source`; blocks until there is one."""
        return self.irecv(source, tag).wait()

    def isend(self, value: Any, dest: int, tag: int = 0) -> Work:
        """Begin to send; the value may be changed as soon as this returns."""
        self._other(dest)
        return self._post("send", peer=dest, tag=tag, value=value)

    def irecv(self, source: int, tag: int = 0) -> Work:
        """Begin to receive; `wait()` gives the value."""
        self._other(source)
        return self._post("recv", peer=source, tag=tag)

    # --- collectives ---

    def barrier(self) -> None:
        """Block until every rank is here."""
        self._post("barrier").wait()

    def broadcast(self, value: Any, root: int = 0, async_op: bool = False) -> Any:
        """Rank `root`'s value, on every rank. The others may pass None or a value of that shape."""
        self._known(root)
        return self._collective("broadcast", async_op, root=root, value=value)

    def all_reduce(self, value: Any, op: str = "sum", async_op: bool = False) -> Any:
        """The sum (avg, max, min, prod) over all ranks, on every rank."""
        return self._collective("all_reduce", async_op, op=self._op(op), value=value)

    def all_gather(self, value: Any, async_op: bool = False) -> Any:
        """A list of every rank's value, on every rank."""
        return self._collective("all_gather", async_op, value=value)

    def reduce_scatter(self, value: Any, op: str = "sum", async_op: bool = False) -> Any:
        """This rank's part of the reduced value.

        `value` is a list with a part for each rank, or an array that is cut along its first axis into
        as many equal parts.
        """
        return self._collective(
            "reduce_scatter", async_op, op=self._op(op), value=self._parts(value)
        )

    def all_to_all(self, parts: Sequence[Any], async_op: bool = False) -> Any:
        """Part r goes to rank r; a list of what each rank had for this one. Lengths may differ."""
        return self._collective("all_to_all", async_op, value=self._parts(parts))

    def scatter(self, parts: Any = None, root: int = 0, async_op: bool = False) -> Any:
        """This rank's part of rank `root`'s list; the others pass None."""
        self._known(root)
        value = self._parts(parts) if self.rank == root else None
        return self._collective("scatter", async_op, root=root, value=value)

    def gather(self, value: Any, root: int = 0, async_op: bool = False) -> Any:
        """A list of every rank's value on rank `root`, None on the others."""
        self._known(root)
        return self._collective("gather", async_op, root=root, value=value)

    def mark(self, text: str) -> None:
        """Note a moment in the record of what happened, e.g. where the backward pass begins."""
        self._post("mark", text=str(text)[:18])

    # --- how it is done ---

    def _collective(self, kind: str, async_op: bool, **fields: Any) -> Any:
        if not self._collectives:
            raise CommError(
                f"there is no {kind} here: build it out of send, recv, isend, irecv and barrier"
            )
        work = self._post(kind, **fields)
        return work if async_op else work.wait()

    def _post(self, kind: str, **fields: Any) -> Work:
        number = self._posted
        self._posted += 1
        self._transport.post(number, {"kind": kind, **fields})
        return Work(self._transport, number)

    def _known(self, rank: int) -> None:
        if isinstance(rank, bool) or not isinstance(rank, int) or not 0 <= rank < self.world:
            raise CommError(f"there is no rank {rank!r}; this world has 0 to {self.world - 1}")

    def _other(self, rank: int) -> None:
        self._known(rank)
        if rank == self.rank:
            raise CommError(f"rank {rank} cannot exchange messages with itself")

    @staticmethod
    def _op(op: str) -> str:
        if op not in OPERATIONS:
            raise CommError(f"there is no operation {op!r}; choose one of {', '.join(OPERATIONS)}")
        return op

    def _parts(self, value: Any) -> list[Any]:
        if isinstance(value, list | tuple):
            parts = list(value)
        elif len(value.shape) == 0 or value.shape[0] % self.world:
            raise CommError(
                f"a value of shape {tuple(value.shape)} cannot be cut into {self.world} equal parts"
            )
        else:
            size = value.shape[0] // self.world
            parts = [value[r * size : (r + 1) * size] for r in range(self.world)]
        if len(parts) != self.world:
            raise CommError(f"{len(parts)} parts for {self.world} ranks; give one part for each")
        return parts
