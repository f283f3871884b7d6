"""A clock for code that we trust but that a student's answer may make slow: `inputs`, references, `verify`.

It runs in a thread of its own. When its time is over an exception is raised in that thread, which ends
any Python code; what is deep in a C call ends with that call, and nobody waits for it.
"""

import ctypes
import threading
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")


class TookTooLong(Exception):
    """The time was over before the function returned."""


def within(seconds: float, function: Callable[..., _T], *arguments: Any) -> _T:
    """What `function(*arguments)` returns or raises, unless it takes longer.

    Raises:
        TookTooLong: it took longer; its thread was told to end.
    """
    outcome: list[tuple[bool, Any]] = []

    def run() -> None:
        try:
            outcome.append((True, function(*arguments)))
        except BaseException as error:
            outcome.append((False, error))

    thread = threading.Thread(target=run, name="clocked", daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        if thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(TookTooLong)
            )
        raise TookTooLong
    ended_well, value = outcome[0]
    if not ended_well:
        raise value
    result: _T = value
    return result
