"""The wall that needs nothing but Linux: jails in namespaces of their own, straight on this host.

Root's zygote maps two ids for every jail; an ordinary user's maps its own, where the host allows
unprivileged user namespaces.
"""

import sys
import threading

from grader.errors import NoWallError, WallError
from grader.protocol import Limits
from grader.sandbox.jail import Jail
from grader.sandbox.kinds import kind_of, python_of
from grader.sandbox.zygote import Zygote


class LocalSandbox:
    """Warm zygotes by kind, made on first use and made again when they die."""

    wall = "local"
    unsafe = False

    def __init__(self, zygotes: tuple[str, ...] = ("numpy",)) -> None:
        if not sys.platform.startswith("linux"):
            raise NoWallError("the local wall needs Linux; use Docker on this system")
        self._zygotes: dict[str, Zygote] = {}
        self._lock = threading.Lock()
        for name in zygotes:
            self._zygote(name)

    def _zygote(self, name: str) -> Zygote:
        zygote = self._zygotes.get(name)
        if zygote is not None and zygote.alive:
            return zygote
        if zygote is not None:
            self._zygotes.pop(name).close()
        self._zygotes[name] = self._start(name)
        return self._zygotes[name]

    def _start(self, name: str) -> Zygote:
        return Zygote(kind_of(name), python_of(name))

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
        with self._lock:
            for zygote in self._zygotes.values():
                zygote.close()
            self._zygotes.clear()
