"""Ranks as threads of one process, of which one runs at a time.

A rank runs until it has to wait; then the next one goes on. So a run is the same every time, a deadlock
is known at once, and each rank keeps random generators of its own, as processes would. What ranks share,
other than processes, is the module's global variables.
"""

import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .comm import Comm, CommError
from .network import Exceeded, Fabric, Mismatch, Network, Traffic
from .values import copied


class Deadlock(RuntimeError):
    """Every rank waits for something that can no longer happen."""


class RankFailed(RuntimeError):
    """A rank raised: `rank` is which. Its exception is the cause, or its traceback is in the text."""

    def __init__(self, rank: int, text: str) -> None:
        super().__init__(f"rank {rank}: {text}")
        self.rank = rank


class _Abandoned(BaseException):
    """Raised in a rank's thread when the run is over without it."""


class _Generators:
    """The state of Python's, numpy's and torch's global generators."""

    def __init__(self) -> None:
        torch = sys.modules.get("torch")
        self.state = (
            random.getstate(),
            np.random.get_state(),
            torch.random.get_rng_state() if torch is not None else None,
        )

    def restore(self) -> None:
        own, numpy_state, torch_state = self.state
        random.setstate(own)
        np.random.set_state(numpy_state)
        if torch_state is not None:
            sys.modules["torch"].random.set_rng_state(torch_state)


class _Run:
    """One run of all ranks. The lock is held by whoever runs."""

    def __init__(self, world: int, network: Network, seed: int) -> None:
        self.fabric = Fabric(world, time.monotonic, network, seed)
        self.changed = threading.Condition()
        self.turn = 0
        self.over: BaseException | None = None
        self.results: list[Any] = [None] * world
        self.delivered: dict[int, Any] = {}

    def post(self, rank: int, number: int, operation: dict[str, Any]) -> None:
        if "value" in operation:
            operation = {**operation, "value": copied(operation["value"])}
        try:
            self.fabric.post(rank, number, operation)
        except (Mismatch, Exceeded) as error:
            self.fail(CommError(str(error)))
            raise CommError(str(error)) from None

    def wait(self, rank: int, number: int) -> Any:
        self.fabric.wait(rank, number)
        mine = _Generators()
        self.pass_on(rank)
        self.await_turn(rank)
        mine.restore()
        return copied(self.delivered.pop(rank))

    def pass_on(self, rank: int) -> None:
        """Give the turn to the next rank that can go on; nobody can: the run is over."""
        world = self.fabric.world
        while self.over is None:
            self.delivered.update(self.fabric.take_ready())
            able = [
                other
                for other in ((rank + step) % world for step in range(1, world + 1))
                if other not in self.fabric.ended and other not in self.fabric.waiting
            ]
            if able:
                self.turn = able[0]
                break
            if len(self.fabric.ended) == world:
                break
            pause = self.fabric.next_due()
            if pause is None:
                self.fail(Deadlock(self.fabric.who_waits()))
                break
            time.sleep(pause)
        with self.changed:
            self.changed.notify_all()

    def await_turn(self, rank: int) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.turn == rank or self.over is not None)
        if self.over is not None:
            raise _Abandoned

    def fail(self, error: BaseException) -> None:
        self.over = self.over or error


class _ThreadTransport:
    def __init__(self, run: _Run, rank: int) -> None:
        self.run, self.rank = run, rank

    def post(self, number: int, operation: dict[str, Any]) -> None:
        if self.run.over is not None:
            raise _Abandoned
        self.run.post(self.rank, number, operation)

    def wait(self, number: int) -> Any:
        return self.run.wait(self.rank, number)


def run_threads(
    function: Callable[[Comm], Any],
    world: int,
    network: Network | None = None,
    *,
    seed: int = 0,
    seed_all: Callable[[], None] | None = None,
) -> tuple[list[Any], Traffic]:
    """`function(comm)` on every rank; what each returned, and the record of the network.

    Args:
        seed: for the network's own delays.
        seed_all: called on each rank before it begins; else each begins as the caller's generators are.

    Raises:
        RankFailed: a rank raised. Deadlock: nobody can go on. CommError: mismatched collectives.
    """
    network = network or Network()
    run = _Run(world, network, seed)
    began = _Generators()

    def body(rank: int) -> None:
        try:
            run.await_turn(rank)
            (seed_all or began.restore)()
            comm = Comm(rank, world, _ThreadTransport(run, rank), collectives=network.collectives)
            run.results[rank] = function(comm)
        except _Abandoned:
            return
        except BaseException as error:
            failure = RankFailed(rank, f"{type(error).__name__}: {error}")
            failure.__cause__ = error
            run.fail(failure)
        run.fabric.end(rank)
        run.pass_on(rank)

    threads = [threading.Thread(target=body, args=(r,), daemon=True) for r in range(world)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    began.restore()
    if run.over is not None:
        raise run.over
    return run.results, run.fabric.traffic()
