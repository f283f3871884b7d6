"""Checks on several ranks: the network's facts, its sentences, and ranks that do not play along."""

from pathlib import Path

import pytest

from grader.protocol import CheckResult, Verdict
from grader.sandbox.base import Sandbox
from labs.catalog import read_lab
from tests.grader.grading_desk import Desk, result

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "labs" / "talk"


@pytest.fixture(scope="module")
def ranks(sandbox: Sandbox) -> Desk:
    return Desk(sandbox, read_lab(FOLDER))


def swapping(ranks: Desk, body: str) -> CheckResult:
    """The result of `swaps` with this body; the other checks must not suffer."""
    report = ranks.grade(exchange=f"def swap(x, comm):\n    {body}")
    assert report.score >= 8, report.results
    return result(report, "swaps")


def test_the_reference_earns_everything_and_leaves_a_record(ranks: Desk) -> None:
    report = ranks.grade()
    assert report.score == 10, report.results
    timeline = result(report, "ring").timeline
    assert [record.rank for record in timeline] == [0, 1, 2]  # the world of the last trial
    assert [span.kind for span in timeline[0].spans] == ["send", "recv"] * 2
    assert {span.peer for span in timeline[0].spans} == {1, 2}
    assert timeline[0].messages == 2
    assert timeline[0].bytes == 80
    assert all(span.end >= span.start for record in timeline for span in record.spans)
    assert all(
        record.ended is not None and record.ended >= max(span.end for span in record.spans) - 1e-6
        for record in timeline
    )


def test_a_wrong_value_is_told_with_its_rank(ranks: Desk) -> None:
    found = swapping(ranks, "y = comm.all_gather(x)[1 - comm.rank]\n    return y + comm.rank")
    assert found.verdict is Verdict.FAILED
    assert found.message.startswith("rank 1: ")
    assert "per_rank([np.array(" in found.inputs


def test_a_deadlock_is_told_at_once_and_in_words(ranks: Desk) -> None:
    found = swapping(ranks, "comm.send(x, 1 - comm.rank)\n    return comm.recv(1 - comm.rank)")
    assert found.verdict is Verdict.FAILED
    assert found.message == "Deadlock: rank 0 waits in send to 1; rank 1 waits in send to 0."
    assert [record.ended for record in found.timeline] == [None, None]  # both were still at it
    assert found.seconds < 2.5  # and not when the check's time is over


def test_a_rank_that_waits_for_one_that_has_finished_is_told_so(ranks: Desk) -> None:
    found = swapping(ranks, "return comm.recv(1) if comm.rank == 0 else x")
    assert found.message == "Deadlock: rank 0 waits in recv from 1; rank 1 has finished."


def test_the_rank_that_raised_is_the_cause_and_the_others_are_its_consequences(ranks: Desk) -> None:
    found = swapping(ranks, "assert comm.rank == 0, 'not me'\n    return comm.recv(1)")
    assert found.verdict is Verdict.ERROR
    assert found.message == ("rank 1: AssertionError: not me (rank 0 then waits in recv from 1)")
    assert found.exception is not None
    assert found.exception.trace[-1].source.strip().startswith("assert")
    assert found.timeline[1].error.startswith("rank 1: AssertionError")


def test_different_collectives_are_told_from_both_sides(ranks: Desk) -> None:
    found = swapping(ranks, "comm.all_reduce(x[: 2 + comm.rank])\n    return x")
    assert found.verdict is Verdict.FAILED
    assert "collective #1 differs: rank 0 calls all_reduce(sum) of float64" in found.message


def test_a_rank_that_computes_for_ever_is_told_apart_from_those_that_wait(ranks: Desk) -> None:
    found = swapping(ranks, "while comm.rank: pass\n    return comm.recv(1)")
    assert found.verdict is Verdict.TIMED_OUT
    assert "rank 0 waits in recv from 1; rank 1 computes" in found.message


def test_a_rank_whose_process_ends_is_named(ranks: Desk) -> None:
    found = swapping(ranks, "import os\n    os._exit(3) if comm.rank else comm.recv(1)")
    assert found.verdict is Verdict.ERROR
    assert found.message.startswith("rank 1: The check ended its own process")


def test_collectives_may_be_missing(ranks: Desk) -> None:
    report = ranks.grade(ring="def ring_sum(x, comm):\n    return comm.all_reduce(x)")
    found = result(report, "ring")
    assert found.verdict is Verdict.ERROR
    assert "build it out of send, recv" in found.message


def test_posting_a_collective_by_hand_does_not_get_around_that(ranks: Desk) -> None:
    report = ranks.grade(
        ring="def ring_sum(x, comm):\n    comm._collectives = True\n    return comm.all_reduce(x)"
    )
    assert "there is no all_reduce here" in result(report, "ring").message


def test_what_is_not_written_yet_is_said_as_everywhere(ranks: Desk) -> None:
    found = swapping(ranks, "raise NotImplementedError")
    assert found.message == "This part is not implemented yet."


LINE = "line = comm._transport.line"


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("comm.isend(x, 7); return x", Verdict.ERROR),
        ("comm._transport.post(0, {'kind': 'send', 'peer': 7, 'value': x}); return x", None),
        (
            "comm._transport.post(0, {'kind': 'send', 'peer': comm.rank, 'value': x}); return x",
            None,
        ),
        ("comm._transport.post(0, {'kind': 'recv', 'peer': True}); return x", None),
        ("comm._transport.post(0, {'kind': 'send', 'peer': 1.0, 'tag': 'x'}); return x", None),
        ("comm._transport.post(9, {'kind': 'barrier'}); return x", None),
        ("comm._transport.post(0, {'kind': 'evil', 'rank': 1 - comm.rank}); return x", None),
        ("comm._transport.post(0, {'kind': 'send', 'rank': 0, 'peer': 1}); return x", None),
        ("comm.rank = 1 - comm.rank; comm.send(x, 1 - comm.rank); return x", None),
        ("comm._transport.wait(5)", None),
        (f"{LINE}; line.say({{'wait': 'x'}}); return x", Verdict.REJECTED),
        (f"{LINE}; line.say([1, 2]); return x", Verdict.REJECTED),
        (f"{LINE}; line.say({{'ended': 0}}); return x", None),
        (f"{LINE}; line.say({{'outputs': x}}); return x", None),
        (f"{LINE}; line.say({{'exception': 5}}); return x", Verdict.REJECTED),
        (f"{LINE}; line.say({{'outputs': 1, 'exception': 5}}); return x", Verdict.REJECTED),
        (f"{LINE}; line.say({{}}); return x", Verdict.REJECTED),
        (
            "comm._transport.post(0, {'kind': 'all_reduce', 'op': np.arange(2), 'value': x}); return x",
            None,
        ),
        ("comm._transport.post(0, {'kind': 'mark', 'text': [x] * 1000}); return x", None),
        ("comm._post('mark', text='\\x00\\x1b'); raise ValueError", Verdict.ERROR),
        ("while True: comm.isend([None] * 5000, 1 - comm.rank)", None),
        (
            "import os, signal\n    if comm.rank: os.kill(os.getpid(), signal.SIGSTOP)\n    return comm.recv(1)",
            Verdict.TIMED_OUT,
        ),
        (
            "import os, signal\n    if comm.rank: os.kill(os.getppid(), signal.SIGSTOP)\n    return comm.recv(1 - comm.rank)",
            Verdict.FAILED,
        ),
        (
            "import os\n    if comm.rank:\n        for _ in range(3): os.fork()\n    return comm.all_reduce(x)",
            None,
        ),
        (
            "import threading\n    t = [threading.Thread(target=comm.barrier) for _ in range(4)]\n"
            "    [each.start() for each in t]; [each.join() for each in t]; return x",
            None,
        ),
        (f"{LINE}; line.channel.send(b'\\xff' * 99); return x", Verdict.REJECTED),
        (f"{LINE}; line.channel.close(); return x", Verdict.ERROR),
        ("comm.send(object(), 1 - comm.rank)", None),
        ("comm.isend(np.zeros(4 * 10**6), 1 - comm.rank); return x", Verdict.REJECTED),
        (
            "w = [comm.isend(np.zeros(10**6), 1 - comm.rank) for _ in range(60)]; return x",
            Verdict.FAILED,
        ),
        ("while True: comm.isend(None, 1 - comm.rank)", None),
        ("while True: comm.mark('x')", None),
        ("keep = [bytearray(b'x' * 10**8) for _ in range(9)]; return x", None),
        ("while True: print('x' * 10**5)", Verdict.OUTPUT_LIMIT),
    ],
)
def test_ranks_that_do_not_play_along_harm_their_own_check(
    ranks: Desk, body: str, verdict: Verdict | None
) -> None:
    found = swapping(ranks, body)
    assert found.points == 0
    assert found.verdict is not Verdict.INTERNAL_ERROR
    if verdict is not None:
        assert found.verdict is verdict, found


def test_a_late_thread_of_one_check_does_not_speak_in_the_next(ranks: Desk) -> None:
    report = ranks.grade(
        ring=(
            "import threading, time\n"
            "def ring_sum(x, comm):\n"
            "    def later():\n"
            "        time.sleep(0.1)\n"
            "        while True: comm.isend(x, 0)\n"
            "    threading.Thread(target=later, daemon=True).start()\n"
            "    return x"
        )
    )
    assert result(report, "means").verdict is Verdict.PASSED
    assert result(report, "swaps").verdict is Verdict.PASSED


def test_hidden_checks_keep_their_record_but_campus_shows_it_to_staff_only(ranks: Desk) -> None:
    found = result(ranks.grade(), "means")
    assert found.hidden
    assert len(found.timeline) == 4
