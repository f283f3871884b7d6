"""`labkit.launch` and `Comm`: the same answers and the same sentences on threads and on processes."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "labs"))
import labkit
from labkit import Comm, CommError, Deadlock, Network, RankFailed

BACKENDS = pytest.mark.parametrize("backend", ["threads", "processes"])


def value(comm: Comm) -> np.ndarray:
    return np.arange(4.0) + 10 * comm.rank


@BACKENDS
@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_every_collective_gives_what_its_name_says(backend: str, world: int) -> None:
    def everything(comm: Comm) -> dict:
        x = value(comm)
        parts = [np.full(r + 1, float(comm.rank)) for r in range(comm.world)]
        return {
            "sum": comm.all_reduce(x),
            "avg": comm.all_reduce(x, "avg"),
            "max": comm.all_reduce(x, "max", async_op=True).wait(),
            "gathered": comm.all_gather(x),
            "root's": comm.broadcast(x if comm.rank == world - 1 else None, root=world - 1),
            "part": comm.reduce_scatter(np.ones((2 * world, 3)) * comm.rank),
            "uneven": comm.all_to_all(parts),
            "scattered": comm.scatter(parts if comm.rank == 0 else None),
            "at the root": comm.gather(x, root=0),
        }

    ranks = range(world)
    values = [np.arange(4.0) + 10 * r for r in ranks]
    for rank, got in enumerate(labkit.launch(everything, world, backend=backend)):
        np.testing.assert_allclose(got["sum"], sum(values))
        np.testing.assert_allclose(got["avg"], sum(values) / world)
        np.testing.assert_allclose(got["max"], values[-1])
        np.testing.assert_allclose(got["gathered"], values)
        np.testing.assert_allclose(got["root's"], values[-1])
        np.testing.assert_allclose(got["part"], np.full((2, 3), float(sum(ranks))))
        assert [list(part) for part in got["uneven"]] == [[r] * (rank + 1) for r in ranks]
        assert list(got["scattered"]) == [0.0] * (rank + 1)
        if rank == 0:
            np.testing.assert_allclose(got["at the root"], values)
        else:
            assert got["at the root"] is None


@BACKENDS
def test_messages_of_one_pair_keep_their_order_and_tags_keep_them_apart(backend: str) -> None:
    def talk(comm: Comm) -> list:
        other = 1 - comm.rank
        works = [comm.isend(np.array([float(i)]), other, tag=i % 2) for i in range(6)]
        got = [float(comm.recv(other, tag=tag)[0]) for tag in (1, 1, 1, 0, 0, 0)]
        for work in works:
            work.wait()
        return got

    network = Network(reorder=True)
    assert labkit.launch(talk, 2, backend=backend, network=network) == [[1, 3, 5, 0, 2, 4]] * 2


@BACKENDS
def test_a_value_that_is_changed_after_it_was_sent_arrives_as_it_was(backend: str) -> None:
    def change(comm: Comm) -> float:
        x = np.zeros(3)
        if comm.rank == 0:
            work = comm.isend(x, 1)
            x += 1
            work.wait()
            return 0.0
        return float(comm.recv(0).sum())

    assert labkit.launch(change, 2, backend=backend) == [0.0, 0.0]


@BACKENDS
def test_two_ranks_that_both_send_first_are_told_who_waits_for_whom(backend: str) -> None:
    def both_send(comm: Comm) -> None:
        comm.send(np.ones(1), 1 - comm.rank)

    with pytest.raises(Deadlock, match="rank 0 waits in send to 1; rank 1 waits in send to 0"):
        labkit.launch(both_send, 2, backend=backend)


@BACKENDS
def test_a_rank_that_has_finished_is_named_when_another_waits_for_it(backend: str) -> None:
    def early(comm: Comm) -> None:
        if comm.rank == 0:
            comm.all_reduce(np.ones(1))
            comm.all_reduce(np.ones(1))
        else:
            comm.all_reduce(np.ones(1))

    with pytest.raises(Deadlock, match="rank 0 waits in all_reduce #2; rank 1 has finished"):
        labkit.launch(early, 2, backend=backend)


@BACKENDS
def test_ranks_that_call_different_collectives_are_told_both(backend: str) -> None:
    def differ(comm: Comm) -> None:
        if comm.rank == 1:
            comm.all_gather(np.ones(2))
        comm.all_reduce(np.ones(2))

    with pytest.raises(CommError, match=r"collective #1 differs: rank 0 calls all_reduce\(sum\)"):
        labkit.launch(differ, 3, backend=backend)


@BACKENDS
def test_a_rank_that_raises_is_named(backend: str) -> None:
    def broken(comm: Comm) -> None:
        if comm.rank == 2:
            raise ValueError("no such thing")
        comm.barrier()

    with pytest.raises(RankFailed, match="rank 2: ValueError: no such thing"):
        labkit.launch(broken, 3, backend=backend)


@pytest.mark.parametrize(
    "misuse",
    [
        lambda comm: comm.send(np.ones(1), 7),
        lambda comm: comm.send(np.ones(1), comm.rank),
        lambda comm: comm.recv(-1),
        lambda comm: comm.all_reduce(np.ones(1), "median"),
        lambda comm: comm.all_reduce([1.0]),
        lambda comm: comm.all_reduce(np.ones(1, dtype=int), "avg"),
        lambda comm: comm.reduce_scatter(np.ones(3)),
        lambda comm: comm.all_to_all([np.ones(1)]),
    ],
)
def test_misuse_is_an_error_and_no_hang(misuse: object) -> None:
    with pytest.raises((CommError, RankFailed)):
        labkit.launch(misuse, 2, backend="threads")


def test_a_lab_may_take_the_collectives_away() -> None:
    with pytest.raises(RankFailed, match="build it out of send, recv"):
        labkit.run_threads(lambda comm: comm.all_reduce(np.ones(1)), 2, Network(collectives=False))


def test_the_record_counts_a_ring_all_reduce_as_theory_does() -> None:
    def ring(comm: Comm) -> None:
        chunk = np.ones(251)
        for _ in range(2 * (comm.world - 1)):
            work = comm.isend(chunk, (comm.rank + 1) % comm.world)
            comm.recv((comm.rank - 1) % comm.world)
            work.wait()

    _, by_hand = labkit.run_threads(ring, 4)
    _, native = labkit.run_threads(lambda comm: comm.all_reduce(np.ones(1004)), 4)
    for rank in range(4):
        assert by_hand.bytes_sent(rank) == 12_048
        assert by_hand.volume(rank) == native.volume(rank) == 12_048
        assert {event.peer for event in by_hand.sent(rank)} == {(rank + 1) % 4}


def test_each_rank_has_generators_of_its_own_on_threads() -> None:
    def draw(comm: Comm) -> list:
        first = np.random.rand()
        comm.barrier()
        return [first, np.random.rand()]

    results, _ = labkit.run_threads(draw, 3)
    assert results[0] == results[1] == results[2]


def test_importing_labkit_does_not_import_torch() -> None:
    import subprocess

    code = "import sys, labkit; sys.exit('torch' in sys.modules)"
    folder = str(Path(labkit.__file__).resolve().parents[1])
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": folder}, check=True)
