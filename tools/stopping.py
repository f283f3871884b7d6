"""What Ctrl-C means: the first asks for an orderly end, the second does not wait for it."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

from tools.console import Console


class Stopper:
    """Cancels a task on the first SIGINT, SIGTERM or SIGHUP; calls `at_once` on every later one."""

    def __init__(self, task: asyncio.Task[Any], console: Console) -> None:
        self.at_once: Callable[[], None] | None = None
        self._task = task
        self._console = console
        self._signals = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._asked)

    def _asked(self) -> None:
        self._signals += 1
        if self._signals == 1:
            self._console.say()
            self._console.note("stopping (Ctrl-C once more does not wait)")
            self._task.cancel()
        elif self.at_once is not None:
            self.at_once()
