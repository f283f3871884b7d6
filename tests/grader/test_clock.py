"""Code of ours that takes too long is ended, and what comes after it is not disturbed."""

import threading
import time

import pytest

from grader.clock import TookTooLong, within


def for_ever() -> None:
    while True:
        pass


def test_a_value_or_an_exception_comes_back_as_from_a_plain_call() -> None:
    assert within(5, divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        within(5, divmod, 7, 0)


def test_an_endless_loop_is_ended_and_its_thread_with_it() -> None:
    before = threading.active_count()
    for _ in range(3):
        with pytest.raises(TookTooLong):
            within(0.05, for_ever)
        assert within(5, int, "7") == 7
    deadline = time.monotonic() + 10
    while threading.active_count() > before + 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before + 1  # one waits for more work


def test_nobody_waits_for_what_cannot_be_ended() -> None:
    began = time.monotonic()
    with pytest.raises(TookTooLong):
        within(0.05, time.sleep, 3)
    assert within(5, int, "7") == 7
    assert time.monotonic() - began < 3


def test_several_threads_are_clocked_beside_each_other() -> None:
    both = threading.Barrier(2)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(within(10, both.wait))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(answers) == [0, 1]
