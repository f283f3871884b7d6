"""No wall: only where it was asked for, never quietly, and it still leaves nothing running."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.errors import NoWallError, WallError
from grader.protocol import Verdict
from grader.sandbox import open_sandbox
from grader.sandbox.memory import descendants
from tests.grader.grading_desk import Desk, result

VARIABLE = "GRADUS_UNSAFE_NO_SANDBOX"


@pytest.fixture
def unsafe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv(VARIABLE, "1")
    monkeypatch.delenv("GRADUS_WALL", raising=False)
    sandbox = open_sandbox()
    yield Desk(sandbox)
    sandbox.close()


@pytest.mark.parametrize("value", [None, "", "0", "true", "yes"])
def test_nobody_gets_it_without_asking(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(NoWallError, match=f"{VARIABLE}=1.*python -m grader doctor"):
        open_sandbox(wall="none")


def test_without_a_wall_and_without_asking_grading_refuses_to_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("GRADUS_WALL", raising=False)
    monkeypatch.setenv("GRADUS_ZYGOTE_NUMPY_PYTHON", "/bin/false")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(WallError) as refused:
        open_sandbox()
    assert isinstance(refused.value, NoWallError)
    assert "python -m grader doctor" in str(refused.value)
    assert f"{VARIABLE}=1" in str(refused.value)


def test_a_wall_that_is_named_wins_over_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    sandbox = open_sandbox(wall="local")
    assert not sandbox.unsafe
    sandbox.close()


def test_it_grades_and_every_report_says_so(unsafe: Desk) -> None:
    report = unsafe.grade()
    assert report.score == 10
    assert report.unsafe
    assert report.wall == "none"


def test_verdicts_are_the_same_without_a_wall(unsafe: Desk) -> None:
    endless = unsafe.grade(double="def double(x):\n    while True: pass")
    assert result(endless, "doubles").verdict == Verdict.TIMED_OUT
    assert endless.score == 3
    gone = unsafe.grade(double="import os\ndef double(x):\n    os._exit(3)")
    assert result(gone, "doubles").verdict == Verdict.ERROR
    assert gone.score == 3
    filled = "def double(x):\n    keep = []\n    while True: keep.append(bytearray(b'x' * 10**6))"
    assert result(unsafe.grade(double=filled), "doubles").verdict == Verdict.OUT_OF_MEMORY


def test_what_was_left_running_ends_with_the_grading(unsafe: Desk) -> None:
    zygote = unsafe.sandbox._zygotes["numpy"]  # type: ignore[attr-defined]
    cell = (
        "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(99)\n"
        "def double(x):\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(99)\n    return 2 * x"
    )
    assert unsafe.grade(double=cell).score == 10
    deadline = time.monotonic() + 5
    while len(descendants(zygote.pid)) > 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert descendants(zygote.pid) == [zygote.pid]
    assert not list(Path("/tmp").glob("gradus-unsafe-*"))


def test_what_costs_nothing_is_kept(unsafe: Desk) -> None:
    told = unsafe.seen("print(open('/proc/self/status').read())")
    for line in ("NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000"):
        assert line in told
    assert os.getpid() > 1
