"""The network between ranks without any jail: its collectives are torch's, its order is kept, its deadlocks are
named, and what it is told by a stranger never breaks it."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.inside import wire
from grader.inside.calls import Line, SwitchTransport
from grader.kit import Comm, CommError, Deadlock, Fabric, Mismatch, Network, run_threads
from grader.protocol import Limits
from grader.sandbox.jail import Exchange
from grader.switch import NetworkFailed, RankTrouble, Switch
from labs.labkit.values import payload_bytes

ROOT = Path(__file__).resolve().parents[2]


class QuietJail:
    """As much of a jail as an exchange looks at while it waits."""

    over_memory, used_bytes, seen_oom_kills, student_ended = False, 0, 0, False
    cpu_spent: frozenset[int] = frozenset()

    def hear_init(self, seconds: float = 0.0) -> None: ...
    def forget(self, number: int) -> None: ...
    def cancelled(self) -> bool:
        return False

    def oom_kills(self) -> int:
        return 0


@contextmanager
def switched(world: int, network: Network | None = None, seconds: float = 20.0) -> Iterator[Any]:
    """A switch, and for each rank the socket that its body would have in a jail."""
    limits = Limits(answer_mib=1, output_kib=1)
    exchanges = [Exchange(QuietJail(), limits, seconds) for _ in range(world)]  # type: ignore[arg-type]
    theirs = [socket.socket(fileno=os.dup(e._their_channel.fileno())) for e in exchanges]
    for sock in theirs:
        sock.setblocking(False)
    for exchange in exchanges:
        exchange.passed_on()
    try:
        yield Switch(exchanges, network or Network(), 7), theirs
    finally:
        for exchange in exchanges:
            exchange.close()
        for sock in theirs:
            sock.close()


def run_switched(
    body: Callable[[Comm], Any], world: int, network: Network | None = None
) -> tuple[list[Any], Switch]:
    """What the body returns on every rank, each in a thread that talks to the switch over a socket."""
    network = network or Network()
    with switched(world, network) as (switch, theirs):

        def be(rank: int) -> None:
            line = Line(theirs[rank])
            try:
                comm = Comm(rank, world, SwitchTransport(line), collectives=network.collectives)
                line.say({"outputs": body(comm)})
            except wire.WireClosed:
                return
            except Exception as error:
                line.say(
                    {"exception": {"type": type(error).__name__, "text": str(error), "trace": []}}
                )

        threads = [threading.Thread(target=be, args=(rank,)) for rank in range(world)]
        for thread in threads:
            thread.start()
        try:
            frames = switch.run()
        finally:
            for exchange in switch.exchanges:
                exchange.channel.close()
            for thread in threads:
                thread.join()
            for exchange in switch.exchanges:
                exchange.channel = socket.socket()
        return frames, switch


PROGRAM = """
import sys, numpy as np
def mine(rank, world, dtype):
    rng = np.random.default_rng(rank)
    return (rng.standard_normal((world * 2, 3)) * 9).astype(dtype)
def sizes(rank, world):
    return [(rank + 2 * other) % 3 for other in range(world)]
"""
ORACLE = (
    PROGRAM
    + """
import os, torch, torch.distributed as dist
rank, world, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=world)
found = {}
for dtype in ("float32", "float64", "int64"):
    x = torch.from_numpy(mine(rank, world, dtype))
    for op in ("sum", "max", "min", "prod"):
        y = x.clone(); dist.all_reduce(y, getattr(dist.ReduceOp, {"prod": "PRODUCT"}.get(op, op.upper()))); found[f"all_reduce {op} {dtype}"] = y
    if dtype != "int64":
        y = x.clone(); dist.all_reduce(y); found[f"all_reduce avg {dtype}"] = y / world
    parts = [torch.zeros_like(x) for _ in range(world)]
    dist.all_gather(parts, x); found[f"all_gather {dtype}"] = torch.stack(parts)
    y = x.clone(); dist.all_reduce(y)
    found[f"reduce_scatter {dtype}"] = y.chunk(world)[rank]
    into = torch.zeros_like(x[:2])
    dist.scatter(into, [c.contiguous() for c in x.chunk(world)] if rank == world - 1 else None, src=world - 1)
    found[f"scatter {dtype}"] = into
    into = [torch.zeros_like(x) for _ in range(world)] if rank == 0 else None
    dist.gather(x, into, dst=0)
    if rank == 0: found[f"gather {dtype}"] = torch.stack(into)
    y = x.clone(); dist.broadcast(y, src=1); found[f"broadcast {dtype}"] = y
    out = [x[:n].clone() for n in sizes(rank, world)]
    # gloo has no uneven all_to_all over lists: messages do the same
    got = [torch.zeros((sizes(other, world)[rank], 3), dtype=x.dtype) for other in range(world)]
    got[rank] = out[rank]
    work = [dist.isend(out[o], o) for o in range(world) if o != rank and len(out[o])]
    for o in range(world):
        if o != rank and len(got[o]): dist.recv(got[o], o)
    for w in work: w.wait()
    found[f"all_to_all {dtype}"] = torch.cat(got)
np.savez(f"{folder}/{rank}.npz", **{name: value.numpy() for name, value in found.items()})
dist.destroy_process_group()
"""
)


def _ours(comm: Comm) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(PROGRAM, names)
    found: dict[str, Any] = {}
    rank, world = comm.rank, comm.world
    for dtype in ("float32", "float64", "int64"):
        x = names["mine"](rank, world, dtype)
        for op in ("sum", "max", "min", "prod"):
            found[f"all_reduce {op} {dtype}"] = comm.all_reduce(x, op)
        if dtype != "int64":
            found[f"all_reduce avg {dtype}"] = comm.all_reduce(x, "avg")
        found[f"all_gather {dtype}"] = np.stack(comm.all_gather(x))
        found[f"reduce_scatter {dtype}"] = comm.reduce_scatter(x)
        parts = np.split(x, world) if rank == world - 1 else None
        found[f"scatter {dtype}"] = comm.scatter(parts, root=world - 1)
        gathered = comm.gather(x, root=0)
        if rank == 0:
            found[f"gather {dtype}"] = np.stack(gathered)
        found[f"broadcast {dtype}"] = comm.broadcast(x if rank == 1 else None, root=1)
        pieces = [x[:size] for size in names["sizes"](rank, world)]
        found[f"all_to_all {dtype}"] = np.concatenate(comm.all_to_all(pieces))
    return found


def test_collectives_give_what_torch_distributed_gives(tmp_path: Path) -> None:
    world = 3
    command = [sys.executable, "-c", ORACLE]
    peers = [
        subprocess.Popen([*command, str(rank), str(world), str(tmp_path)]) for rank in range(world)
    ]
    assert [peer.wait(120) for peer in peers] == [0] * world
    frames, _ = run_switched(_ours, world)
    for rank, frame in enumerate(frames):
        with np.load(tmp_path / f"{rank}.npz") as wanted:
            assert set(wanted) == set(frame["outputs"])
            for name in wanted:
                got = frame["outputs"][name]
                assert got.dtype == wanted[name].dtype, name
                assert got.shape == wanted[name].shape, name
                np.testing.assert_allclose(got, wanted[name], rtol=2e-6, err_msg=name)


def test_messages_of_a_pair_keep_their_order_while_others_overtake() -> None:
    def body(comm: Comm) -> Any:
        if comm.rank:
            works = [comm.isend(float(10 * comm.rank + n), 0) for n in range(12)]
            return [work.wait() for work in works]
        return [[comm.recv(1 + (n % 2)) for n in range(24)][0::2]]

    frames, switch = run_switched(body, 3, Network(reorder=True, jitter=0.002))
    assert frames[0]["outputs"][0] == [10.0 + n for n in range(12)]
    received = switch.traffic().of(0, "recv")
    times = {peer: [e.complete for e in received if e.peer == peer] for peer in (1, 2)}
    assert all(each == sorted(each) for each in times.values())  # type: ignore[type-var]


def _stuck(body: Callable[[Comm], Any], world: int) -> str:
    with pytest.raises(NetworkFailed) as caught:
        run_switched(body, world)
    return str(caught.value)


def test_a_deadlock_is_a_sentence_about_every_rank() -> None:
    def circle(comm: Comm) -> Any:
        return comm.recv((comm.rank + 1) % 3, tag=5) if comm.rank < 2 else comm.barrier()

    assert _stuck(circle, 3) == (
        "Deadlock: rank 0 waits in recv from 1 (tag 5); rank 1 waits in recv from 2 (tag 5); "
        "rank 2 waits in barrier #1."
    )
    assert "rank 1 has finished" in _stuck(lambda comm: comm.rank or comm.recv(1), 2)


step = st.tuples(st.sampled_from(["isend", "irecv", "wait"]), st.integers(0, 2), st.integers(0, 1))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(step, max_size=8), min_size=2, max_size=3), st.booleans())
def test_any_program_of_messages_ends_with_the_right_data_or_a_named_deadlock(
    programs: list[list[tuple[str, int, int]]], reorder: bool
) -> None:
    """`wait` waits for all that the rank has begun; every value says who sent it and as which."""
    world = len(programs)

    def body(comm: Comm) -> Any:
        got: list[list[Any]] = []
        begun: list[tuple[Any, int, int]] = []
        sent: dict[tuple[int, int], int] = {}
        for kind, peer, tag in [*programs[comm.rank], ("wait", 0, 0)]:
            if kind == "wait":
                for work, source, its_tag in begun:
                    value = work.wait()
                    if source >= 0:
                        got.append([source, its_tag, value])
                begun = []
            elif peer < world and peer != comm.rank:
                if kind == "isend":
                    count = sent[peer, tag] = sent.get((peer, tag), 0) + 1
                    begun.append((comm.isend([comm.rank, count], peer, tag), -1, tag))
                else:
                    begun.append((comm.irecv(peer, tag), peer, tag))
        return got

    matched = _matched(programs)
    network = Network(reorder=reorder, jitter=0.0005)
    if not matched:
        with pytest.raises(
            NetworkFailed, match=r"^Deadlock: rank 0 .* waits in |^Deadlock: rank 0 waits in "
        ):
            run_switched(body, world, network)
        return
    frames, _ = run_switched(body, world, network)
    for frame in frames:
        counts: dict[tuple[int, int], int] = {}
        for source, tag, (sender, count) in frame["outputs"]:
            counts[source, tag] = counts.get((source, tag), 0) + 1
            assert (sender, count) == (source, counts[source, tag])
    with_threads, _ = run_threads(body, world, Network())
    assert with_threads == [frame["outputs"] for frame in frames]


def _matched(programs: list[list[tuple[str, int, int]]]) -> bool:
    """Whether every rank can go on to its end: a model of its own, one pass after the other."""
    world = len(programs)
    full = [[*program, ("wait", 0, 0)] for program in programs]
    at = [0] * world
    moved = True
    while moved:
        moved = False
        for rank in range(world):
            while at[rank] < len(full[rank]):
                if full[rank][at[rank]][0] == "wait" and not _done(full, at, rank):
                    break
                at[rank] += 1
                moved = True
    return all(at[rank] == len(full[rank]) for rank in range(world))


def _done(full: list[list[tuple[str, int, int]]], at: list[int], rank: int) -> bool:
    def count(who: int, kind: str, peer: int, tag: int) -> int:
        return full[who][: at[who]].count((kind, peer, tag))

    for kind, peer, tag in full[rank][: at[rank]]:
        if kind == "wait" or peer == rank or peer >= len(full):
            continue
        other = "irecv" if kind == "isend" else "isend"
        if count(peer, other, rank, tag) < count(rank, kind, peer, tag):
            return False
    return True


HOSTILE: list[Any] = [
    {"kind": "all_reduce", "op": np.array([1, 2]), "value": np.ones(2)},
    {"kind": "all_reduce", "op": [], "value": np.ones(2)},
    {"kind": "all_reduce", "op": "sum", "value": np.ones(2), "root": 0},
    {"kind": "mark", "text": [np.zeros(1000)] * 3},
    {"kind": "mark", "text": np.zeros((1,) * 32)},
    {"kind": np.array(["send"]), "peer": 1},
    {"kind": "send", "peer": np.int64(1), "value": 1},
    {"kind": "send", "peer": -1, "value": 1},
    {"kind": "send", "peer": 2**80, "value": 1},
    {"kind": "send", "peer": 1, "tag": -1},
    {"kind": "send", "peer": 1, "tag": 2**40},
    {"kind": "broadcast", "root": None, "value": 1},
    {"kind": "broadcast", "root": 1.0, "value": 1},
    {"kind": "scatter", "root": 9, "value": []},
    {"kind": "reduce_scatter", "op": "sum", "value": 3},
    {"kind": "all_to_all", "value": {"a": 1}},
    {"kind": ""},
    {},
]


@pytest.mark.parametrize("operation", HOSTILE, ids=repr)
def test_an_operation_that_makes_no_sense_is_refused_and_nothing_else(operation: Any) -> None:
    fabric = Fabric(1, lambda: 0.0)
    with suppress(CommError, Mismatch):
        fabric.post(0, 0, operation)


FRAMES: list[Any] = [
    {"exception": 5},
    {"exception": {"type": [], "text": 1, "trace": [1, [2]]}},
    {},
    {"outputs": 1, "exception": 3},
    {"post": 0, "operation": 1},
    {"post": "0", "operation": {}},
    {"wait": None},
    {"wait": True},
    [],
    None,
    {"post": True, "operation": {"kind": "barrier"}},
]


@pytest.mark.parametrize("frame", FRAMES, ids=repr)
def test_a_strange_frame_is_trouble_of_the_rank_that_sent_it(frame: Any) -> None:
    with switched(2) as (switch, theirs):
        line = Line(theirs[0])
        line.say({"outputs": None})
        Line(theirs[1]).say(frame)
        blamed, told = 1, "rank 1"
        try:
            switch.run()
        except RankTrouble as trouble:
            blamed = trouble.rank
        except NetworkFailed as failure:
            told = str(failure)
        assert blamed == 1
        assert "rank 1" in told


def test_a_result_that_is_too_much_for_one_frame_is_not_the_receivers_fault() -> None:
    def body(comm: Comm) -> Any:
        return len(comm.all_gather([np.zeros(1)] * 900))

    with pytest.raises(NetworkFailed, match="too many parts"):
        run_switched(body, 4)


@pytest.mark.parametrize("value", [True, 1 + 2j], ids=repr)
def test_a_reduction_that_is_not_defined_is_said_to_be_so(value: Any) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")

    def body(comm: Comm) -> Any:
        return comm.all_reduce(torch.tensor([value]), "max" if value != True else "avg")  # noqa: E712

    with pytest.raises(NetworkFailed, match=r"not defined for|needs floating"):
        run_switched(body, 2)


@pytest.mark.parametrize(
    ("value", "at_least"),
    [
        ([None] * 1000, 8000),
        ([[]] * 1000, 8000),
        ({"a": None, "b": ()}, 16),
        (10**2000, 800),
        (-(2**800), 100),
        (1 + 1j, 16),
        (np.zeros((2**40, 0)), 6),
        ([np.zeros((0, 2**50)), np.zeros((2**50, 0))], 12),
    ],
    ids=lambda v: str(v)[:20],
)
def test_nothing_is_carried_for_free(value: Any, at_least: int) -> None:
    """Traffic is a fact that checks give points for: a message must not hide in what is not counted."""
    assert payload_bytes(value) >= at_least


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (None, 0),
        (np.zeros((3, 4), "f4"), 48),
        ([np.zeros(3), np.zeros(2)], 40),
        ((1, 2.5, True), 24),
        (np.zeros((0, 4096)), 0),
        ("äb", 3),
        (b"abc", 3),
    ],
    ids=lambda v: str(v)[:20],
)
def test_what_is_sent_honestly_costs_its_data_alone(value: Any, size: int) -> None:
    assert payload_bytes(value) == size


def test_a_deadlock_in_threads_has_the_same_words() -> None:
    with pytest.raises(Deadlock, match="rank 0 waits in send to 1; rank 1 waits in send to 0"):
        run_threads(lambda comm: comm.send(1, 1 - comm.rank), 2, Network())
