"""How many checks are asked at once, and how one gets the jail to itself."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Lanes:
    """Up to `width` holders at once, or a single one that is alone."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._changed = threading.Condition()
        self._active = 0
        self._companies: list[list[bool]] = []
        self._alone = False

    @contextmanager
    def enter(self, *, alone: bool = False) -> Iterator[Callable[[], bool]]:
        """Hold a lane; yields a function that says whether somebody held another one meanwhile."""
        company = [False]
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._active == 0 if alone else self._active < self.width and not self._alone
                )
            )
            self._active += 1
            self._alone = alone
            self._companies.append(company)
            if self._active > 1:
                for each in self._companies:
                    each[0] = True
        try:
            yield lambda: company[0]
        finally:
            with self._changed:
                self._active -= 1
                self._companies = [c for c in self._companies if c is not company]
                self._alone = False
                self._changed.notify_all()
