"""The wall that needs nothing but Linux: jails in namespaces of their own, straight on this host.

Root's zygote maps two ids for every jail; an ordinary user's maps its own, where the host allows
unprivileged user namespaces.
"""

import os
import sys
import threading
from pathlib import Path

from grader.errors import NoWallError, WallError
from grader.protocol import Limits
from grader.sandbox.jail import Jail
from grader.sandbox.zygote import Zygote

ROOT = Path(__file__).resolve().parents[2]

MODULES: dict[str, tuple[str, ...]] = {
    "numpy": ("numpy", "numpy.linalg", "numpy.fft", "numpy.random"),
    "torch": ("numpy", "torch", "torch.nn.functional", "torch.optim"),
}


def python_of(zygote: str) -> Path:
    """The interpreter of a zygote's environment.

    Raises:
        WallError: it was not made yet; the message names the command that makes it.
    """
    setting = os.environ.get(f"GRADUS_ZYGOTE_{zygote.upper().replace('-', '_')}_PYTHON")
    if setting:
        return Path(setting)
    if zygote == "numpy":
        python = ROOT / ".zygotes" / "numpy" / "bin" / "python"
        if not python.exists():
            raise WallError(f"{python} is missing; `make run` and `make test` create it")
        return python
    return Path(sys.executable)


class LocalSandbox:
    """Warm zygotes by kind, made on first use and made again when they die or grow old."""

    wall = "local"
    unsafe = False

    def __init__(self, zygotes: tuple[str, ...] = ("numpy",)) -> None:
        if not sys.platform.startswith("linux"):
            raise NoWallError("the local wall needs Linux; use Docker on this system")
        self._zygotes: dict[str, Zygote] = {}
        self._retired: list[Zygote] = []  # they end when the last of their jails has
        self._lock = threading.Lock()
        for name in zygotes:
            self._zygote(name)

    def _zygote(self, name: str) -> Zygote:
        self._bury()
        zygote = self._zygotes.get(name)
        if zygote is not None and zygote.alive and not zygote.worn_out:
            return zygote
        if zygote is not None:
            self._retired.append(self._zygotes.pop(name))
            self._bury()
        if name not in MODULES:
            raise WallError(f"no zygote is called {name}; there are {', '.join(MODULES)}")
        self._zygotes[name] = Zygote(name, python_of(name), MODULES[name])
        return self._zygotes[name]

    def _bury(self) -> None:
        """End the retired zygotes in whose jails nobody is graded any more."""
        for zygote in [old for old in self._retired if not (old.alive and old.open_jails)]:
            self._retired.remove(zygote)
            zygote.close()

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
            for zygote in [*self._zygotes.values(), *self._retired]:
                zygote.close()
            self._zygotes.clear()
            self._retired.clear()
