"""A clock for code that we trust but that a student's answer may make slow: `inputs`, references, `verify`.

It runs in a thread of its own. When its time is over an exception is raised in that thread, which ends
any Python code; what is deep in a C call ends with that call, and nobody waits for it.

A grading needs the clock some fifty times, and making a thread costs more than most of what it runs. So
a thread that has done its work in time waits for more; one that was too slow is never used again.
"""

import contextlib
import ctypes
import os
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")
WAITING = 2  # threads that are kept: as many as checks are asked at once


class TookTooLong(Exception):
    """The time was over before the function returned."""


class _Work:
    """One call, and the lock that is free once it has ended."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.call = call
        self.value: Any = None
        self.error: BaseException | None = None
        self.ended = False
        self.done = threading.Lock()
        self.done.acquire()

    def run(self) -> None:
        try:
            self.value = self.call()
        except BaseException as error:
            self.error = error
        self.ended = True
        self.done.release()


class _Clocked(threading.Thread):
    """Does one piece of work after the other until it is given None or was too slow."""

    def __init__(self) -> None:
        super().__init__(name="clocked", daemon=True)
        self.work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self.too_slow = False

    def run(self) -> None:
        with contextlib.suppress(TookTooLong):  # it may come when the work has just ended
            while not self.too_slow and (work := self.work.get()) is not None:
                work.run()
                del work  # an answer may be large, and this thread may wait for long

    def stop(self) -> None:
        """Raise in it what ends Python code, and never use it again."""
        self.too_slow = True
        self.work.put(None)
        if self.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self.ident), ctypes.py_object(TookTooLong)
            )


_waiting: list[_Clocked] = []
os.register_at_fork(after_in_child=_waiting.clear)  # threads stay behind


def _take() -> _Clocked:
    with contextlib.suppress(IndexError):
        return _waiting.pop()
    thread = _Clocked()
    thread.start()
    return thread


def _give_back(thread: _Clocked) -> None:
    if len(_waiting) < WAITING:
        _waiting.append(thread)
    else:
        thread.work.put(None)


def within(seconds: float, function: Callable[..., _T], *arguments: Any, **named: Any) -> _T:
    """What `function(*arguments, **named)` returns or raises, unless it takes longer.

    Raises:
        TookTooLong: it took longer; its thread was told to end.
    """
    work = _Work(lambda: function(*arguments, **named))
    thread = _take()
    thread.work.put(work)
    work.done.acquire(timeout=seconds)
    if not work.ended:
        thread.stop()
        raise TookTooLong
    _give_back(thread)
    if work.error is not None:
        raise work.error
    result: _T = work.value
    return result
