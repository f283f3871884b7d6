"""Looks at every open jail's memory each 50 ms, whatever the threads that grade are doing meanwhile.

Between two questions nobody waits for a jail (a verdict may be on its way to campus), but what an
earlier check left behind may still allocate. So one thread of the process watches all of its jails and
ends those that are over their limit.
"""

import threading
import time
from typing import Protocol

INTERVAL_SECONDS = 0.05
LONGEST_SECONDS = 0.25


class Watched(Protocol):
    """Something that can look after itself when it is told to."""

    def look(self) -> None: ...


class Watchdog:
    """A thread that runs while there is something to watch; made again after a fork."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: set[Watched] = set()
        self._thread: threading.Thread | None = None

    def add(self, jail: Watched) -> None:
        with self._changed:
            self._watched.add(jail)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            self._changed.notify()

    def remove(self, jail: Watched) -> None:
        with self._changed:
            self._watched.discard(jail)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._watched)
                jails = list(self._watched)
            began = time.monotonic()
            for jail in jails:
                jail.look()
            # A host with very many processes must not keep us busy: at most a fifth of one core. But
            # whoever makes looking slow must not gain time by it.
            rest = 4 * (time.monotonic() - began)
            time.sleep(min(max(INTERVAL_SECONDS, rest), LONGEST_SECONDS))


watchdog = Watchdog()
