"""`launch(fn, world)`: run a function on several ranks, wherever a notebook runs.

    def hello(comm):
        return comm.all_reduce(np.ones(3) * comm.rank)

    launch(hello, 4)          # the list of what the ranks returned

`backend` is "processes" (each rank a fork of this process, with a small switch between them), "threads"
(see `labkit.threads`), or None: processes, unless a torch that computes with several threads is loaded,
after which forked processes may hang.
"""

import os
import pickle
import select
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from .comm import Comm, CommError
from .network import Exceeded, Fabric, Mismatch, Network
from .threads import Deadlock, RankFailed, run_threads

LENGTH = struct.Struct(">Q")


def launch(
    function: Callable[..., Any],
    world: int,
    *arguments: Any,
    backend: str | None = None,
    network: Network | None = None,
    timeout: float = 60.0,
) -> list[Any]:
    """What `function(comm, *arguments)` returns on each of `world` ranks.

    Raises:
        RankFailed: a rank raised; the text says which and what.
        Deadlock: every rank waits for something that can no longer happen; the text says for what.
        CommError: the ranks called different collectives.
        TimeoutError: `timeout` seconds passed; the text says who waits.
    """
    if world < 1:
        raise CommError("a world has at least one rank")
    backend = backend or ("processes" if _may_fork() else "threads")
    if backend == "threads":
        return run_threads(lambda comm: function(comm, *arguments), world, network)[0]
    if backend != "processes":
        raise CommError(f"there is no backend {backend!r}; choose processes or threads")
    return _Processes(function, world, arguments, network or Network(), timeout).run()


def _may_fork() -> bool:
    torch = sys.modules.get("torch")
    one_thread = torch is None or torch.get_num_threads() == 1
    return hasattr(os, "fork") and sys.platform != "darwin" and one_thread


class _Processes:
    """Forks a process for each rank and is the switch between them.

    These processes are this notebook's own, on its own machine: frames between them are pickled. The
    grader never does that; there the network is grader.switch.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        world: int,
        arguments: tuple[Any, ...],
        network: Network,
        timeout: float,
    ) -> None:
        self.function, self.world, self.arguments = function, world, arguments
        self.fabric = Fabric(world, time.monotonic, network)
        self.deadline = time.monotonic() + timeout
        self.results: list[Any] = [None] * world
        self.failed: dict[int, tuple[str, str]] = {}  # rank → what it raised, its traceback
        self.sockets: list[socket.socket] = []
        self.processes: list[int] = []

    def run(self) -> list[Any]:
        try:
            for rank in range(self.world):
                self._fork(rank)
            self._serve()
        finally:
            self._end()
        return self.results

    def _fork(self, rank: int) -> None:
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            for other in (ours, *self.sockets):
                other.close()
            _be_rank(self.function, rank, self.world, self.arguments, theirs, self.fabric.network)
        theirs.close()
        self.sockets.append(ours)
        self.processes.append(pid)

    def _serve(self) -> None:
        while len(self.fabric.ended) < self.world:
            for rank, result in self.fabric.take_ready():
                _send(self.sockets[rank], ("done", result))
            if self.fabric.stuck():
                self._raise_failure()
                raise Deadlock(self.fabric.who_waits())
            left = self.deadline - time.monotonic()
            if left <= 0:
                self._raise_failure()
                raise TimeoutError(self.fabric.who_waits())
            due = self.fabric.next_due()
            living = {
                self.sockets[rank]: rank
                for rank in range(self.world)
                if rank not in self.fabric.ended and rank not in self.fabric.waiting
            }
            ready, _, _ = select.select(list(living), [], [], left if due is None else due)
            for connection in ready:
                self._take(living[connection], _receive(connection))
        self._raise_failure()

    def _take(self, rank: int, frame: tuple[Any, ...] | None) -> None:
        if frame is None:
            frame = ("raised", "the process ended without a word", "")
        match frame:
            case ("post", number, operation):
                try:
                    self.fabric.post(rank, number, operation)
                except (Mismatch, Exceeded) as error:
                    raise CommError(str(error)) from None
            case ("wait", number):
                self.fabric.wait(rank, number)
            case ("returned", value):
                self.results[rank] = value
                self.fabric.end(rank)
            case ("raised", text, trace):
                self.failed[rank] = text, trace
                self.fabric.end(rank, f"raised {text.partition(':')[0]}")

    def _raise_failure(self) -> None:
        for rank, (text, trace) in self.failed.items():
            raise RankFailed(rank, f"{text}\n\n{trace}".rstrip())

    def _end(self) -> None:
        for connection in self.sockets:
            connection.close()
        for pid in self.processes:
            os.kill(pid, 9)
            os.waitpid(pid, 0)


class _PipeTransport:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def post(self, number: int, operation: dict[str, Any]) -> None:
        _send(self.connection, ("post", number, operation))

    def wait(self, number: int) -> Any:
        _send(self.connection, ("wait", number))
        frame = _receive(self.connection)
        if frame is None:
            os._exit(1)
        return frame[1]


def _be_rank(
    function: Callable[..., Any],
    rank: int,
    world: int,
    arguments: tuple[Any, ...],
    connection: socket.socket,
    network: Network,
) -> None:
    """In the fork: run the function, say what came of it, and end. Never returns."""
    try:
        comm = Comm(rank, world, _PipeTransport(connection), collectives=network.collectives)
        _send(connection, ("returned", function(comm, *arguments)))
    except BaseException as error:
        text = f"{type(error).__name__}: {error}"
        _send(connection, ("raised", text, traceback.format_exc()))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _send(connection: socket.socket, frame: tuple[Any, ...]) -> None:
    data = pickle.dumps(frame)
    try:
        connection.sendall(LENGTH.pack(len(data)) + data)
    except OSError:  # the other end is gone, which its reader will notice
        return


def _receive(connection: socket.socket) -> tuple[Any, ...] | None:
    """The next frame; None when the other end is gone."""
    head = _exactly(connection, LENGTH.size)
    data = None if head is None else _exactly(connection, LENGTH.unpack(head)[0])
    if data is None:
        return None
    frame: tuple[Any, ...] = pickle.loads(data)
    return frame


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        try:
            piece = connection.recv(min(size - len(data), 1 << 20))
        except OSError:
            return None
        if not piece:
            return None
        data += piece
    return bytes(data)
