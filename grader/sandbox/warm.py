"""What every wall has in common: warm zygotes by kind, made on first use and again when they die."""

import threading
from abc import ABC, abstractmethod

from grader.errors import WallError
from grader.protocol import Limits
from grader.sandbox.jail import Jail
from grader.sandbox.zygote import Zygote


class WarmSandbox(ABC):
    """Zygotes of one wall; how one is started is all that a wall has to say."""

    wall: str
    unsafe = False

    def __init__(self, zygotes: tuple[str, ...] = ("numpy",)) -> None:
        self._zygotes: dict[str, Zygote] = {}
        self._lock = threading.Lock()
        try:
            for name in zygotes:
                self._zygote(name)
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _start(self, name: str) -> Zygote:
        """A zygote of this kind that has warmed up.

        Raises:
            WallError: there is no such kind, or it did not warm up.
        """

    def _zygote(self, name: str) -> Zygote:
        zygote = self._zygotes.get(name)
        if zygote is not None and zygote.alive:
            return zygote
        if zygote is not None:
            self._zygotes.pop(name).close()
        self._zygotes[name] = self._start(name)
        return self._zygotes[name]

    def open_jail(self, zygote: str, limits: Limits) -> Jail:
        """A fresh jail; a zygote that died is replaced once before this is given up.

        Raises:
            WallError: walls cannot be built on this host just now.
        """
        with self._lock:
            warm = self._zygote(zygote)
            try:
                return warm.fork(limits)
            except WallError:
                if warm.alive:
                    raise
                return self._zygote(zygote).fork(limits)

    def close(self) -> None:
        """End every zygote and with it every jail."""
        with self._lock:
            for zygote in self._zygotes.values():
                zygote.close()
            self._zygotes.clear()
