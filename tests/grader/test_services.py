"""Services: what student code asks the trusted side while it is graded, and what it may try with that."""

import hashlib
import time
from pathlib import Path

import pytest

from grader.clock import TookTooLong
from grader.protocol import Verdict
from grader.sandbox.base import Sandbox
from grader.services import SERVICE_SECONDS, Service, ServiceDesk, TooManyCalls, exported
from labs.catalog import read_lab
from tests.grader.grading_desk import Desk, result

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "labs" / "guess"


@pytest.fixture(scope="module")
def guessing(sandbox: Sandbox) -> Desk:
    return Desk(sandbox, read_lab(FOLDER))


def test_the_reference_is_answered_and_the_time_of_a_service_is_not_its_own(guessing: Desk) -> None:
    report = guessing.grade()
    assert report.score == 10, report.results  # the scales alone take 2.4 s; the limit is 1.5 s


def test_a_service_that_is_asked_too_often_for_the_points_is_named(guessing: Desk) -> None:
    report = guessing.grade(
        find="def find(host):\n    n = 0\n    while host.is_larger(n): n += 1\n    return n"
    )
    found = result(report, "finds")
    assert found.verdict is Verdict.FAILED
    assert "questions are enough" in found.message or "called more than 500 times" in found.message


def test_a_refusal_is_an_exception_with_its_text(guessing: Desk) -> None:
    report = guessing.grade(find="def find(host):\n    return host.is_larger(5000)")
    found = result(report, "finds")
    assert found.verdict is Verdict.ERROR
    assert found.message == "ServiceError: guess a number from 0 to 1000"
    assert found.exception is not None
    assert found.exception.trace[-1].cell == "find"


def test_a_refusal_can_be_caught(guessing: Desk) -> None:
    source = (
        "import labkit\n"
        "def find(host):\n"
        "    try:\n        host.is_larger(-1)\n"
        "    except labkit.ServiceError:\n        pass\n"
        "    low, high = 0, host.most\n"
        "    while low < high:\n"
        "        middle = (low + high) // 2\n"
        "        low, high = (middle + 1, high) if host.is_larger(middle) else (low, middle)\n"
        "    return low"
    )
    assert result(guessing.grade(find=source), "finds").verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("return host.is_larger('many')", Verdict.ERROR),
        ("return host.is_larger(1.5)", Verdict.ERROR),
        ("return host.is_larger(True)", Verdict.ERROR),
        ("return host.is_larger()", Verdict.ERROR),
        ("return host.is_larger(object())", Verdict.ERROR),
        ("return host.is_larger(lambda: 1)", Verdict.ERROR),
        ("return host.is_larger(10**2000)", Verdict.ERROR),
        ("return host.is_larger(np.zeros(10**7))", Verdict.REJECTED),
        ("return host.is_larger.ask('host', 'number', [], {})", Verdict.ERROR),
        ("return host.is_larger.ask('other', 'is_larger', [1], {})", Verdict.ERROR),
        ("return host.is_larger.ask(['host'], 'is_larger', [1], {})", Verdict.REJECTED),
        ("line = host.is_larger.ask.__self__; line.say({'call': 1}); return 1", Verdict.REJECTED),
        (
            "line = host.is_larger.ask.__self__\n"
            "    for _ in range(3): line.say({'call': ['host', 'is_larger', [1], {}]})\n"
            "    return 1",
            Verdict.REJECTED,
        ),
        (
            "line = host.is_larger.ask.__self__; line.channel.send(b'\\xff' * 64); return 1",
            Verdict.REJECTED,
        ),
        ("line = host.is_larger.ask.__self__; line.channel.close(); return 1", Verdict.ERROR),
        ("while True:\n        host.is_larger(1)", Verdict.FAILED),
        (
            "while True:\n        try: host.is_larger.ask('x', 'y', [], {})\n        except Exception: pass",
            None,
        ),
        (
            "import os\n    for _ in range(3): os.fork()\n    while True: host.is_larger(1)",
            None,
        ),
        (
            "while True:\n        try: host.is_larger(-1)\n        except Exception: pass",
            Verdict.FAILED,
        ),
        (
            "import threading\n"
            "    for _ in range(4):\n"
            "        threading.Thread(target=lambda: [host.is_larger(1) for _ in range(9)]).start()\n"
            "    return -1",
            None,
        ),
    ],
)
def test_whatever_is_done_to_a_service_costs_that_check_alone(
    guessing: Desk, body: str, verdict: Verdict | None
) -> None:
    report = guessing.grade(find=f"def find(host):\n    {body}")
    found = result(report, "finds")
    assert found.points == 0
    if verdict is not None:
        assert found.verdict is verdict, found
    assert result(report, "weighs").verdict is Verdict.PASSED


def test_a_call_after_the_answer_does_not_reach_the_service(guessing: Desk) -> None:
    late = (
        "import threading, time\n"
        "def find(host):\n"
        "    def ask():\n"
        "        time.sleep(0.05)\n"
        "        host.is_larger(5)\n"
        "    threading.Thread(target=ask).start()\n"
        "    return 3"
    )
    assert result(guessing.grade(find=late), "finds").points == 0


def test_a_check_that_is_asked_in_a_notebook_of_its_own_has_its_services_too(
    guessing: Desk,
) -> None:
    source = (
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    find = (
        "def find(host):\n    low, high = 0, host.most\n    while low < high:\n"
        "        middle = (low + high) // 2\n"
        "        low, high = (middle + 1, high) if host.is_larger(middle) else (low, middle)\n"
        "    return low"
    )
    assert guessing.grade(find=source + find).score == 10


class Counter(Service):
    max_calls = 3

    @exported
    def once(self, by: int | None = None) -> int:
        return self.twice() if by is None else by

    @exported
    def twice(self) -> int:
        return 2

    def secret(self) -> str:
        return "secret"

    @exported
    def fails(self) -> None:
        raise KeyError(self.secret())


def test_only_calls_from_outside_count_directly_and_over_the_wire_alike() -> None:
    direct, behind = Counter(), Counter()
    direct.once()
    desk = ServiceDesk({"counter": behind})
    desk.answer(["counter", "once", [], {}])
    assert direct.calls == behind.calls == {"once": 1}


class Sleepy(Service):
    @exported
    def nap(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pass


def test_a_call_that_does_not_come_back_is_given_up() -> None:
    desk = ServiceDesk({"bed": Sleepy()}, seconds=SERVICE_SECONDS - 0.2)
    with pytest.raises(TookTooLong):
        desk.answer(["bed", "nap", [60.0], {}])
    assert desk.seconds > SERVICE_SECONDS


def test_calls_that_no_method_takes_are_counted_against_the_cap_too() -> None:
    desk = ServiceDesk({"counter": Counter()})
    for call in (["counter", "none", [], {}], ["counter", "once", [1, 2, 3], {}]) * 2:
        if call is not None and desk._asked["counter"] == 3:
            with pytest.raises(TooManyCalls):
                desk.answer(call)
        else:
            assert b"refused" in b"".join(map(bytes, desk.answer(call)))


def test_what_is_not_exported_is_not_there_and_a_failure_tells_no_text() -> None:
    desk = ServiceDesk({"counter": Counter()})
    assert desk.described()["counter"]["methods"] == ["fails", "once", "twice"]
    for method in ("secret", "__init__", "calls", "__class__"):
        desk = ServiceDesk({"counter": Counter()})
        assert b"no method" in b"".join(map(bytes, desk.answer(["counter", method, [], {}])))
    told = b"".join(map(bytes, desk.answer(["counter", "fails", [], {}])))
    assert b"KeyError" in told
    assert b"secret" not in told


def test_calls_are_counted_against_a_cap_also_when_they_are_refused() -> None:
    desk = ServiceDesk({"counter": Counter()})
    for _ in range(3):
        desk.answer(["counter", "fails", [], {}])
    with pytest.raises(TooManyCalls):
        desk.answer(["counter", "once", [], {}])


def test_services_are_new_for_every_trial_and_the_same_for_the_same_submission(
    guessing: Desk,
) -> None:
    from grader.referee import referee_for

    referee = referee_for(guessing.lab)
    check = next(c for c in referee.checks if c.name == "finds")
    seed = hashlib.sha256(b"x").hexdigest()
    numbers = []
    for trial in (0, 1, 0):
        inputs = referee.inputs(check, seed, trial)
        host = referee.services(check, inputs[0], seed, trial)["host"]
        numbers.append(host.number)  # type: ignore[attr-defined]
    assert numbers[0] == numbers[2] != numbers[1]
