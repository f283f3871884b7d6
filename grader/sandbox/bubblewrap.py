"""The bubblewrap wall: an ordinary user's zygotes in a root of their own, and jails inside of that.

Bubblewrap gives the zygote new namespaces and shows it libraries, its Python and the few files that run
behind a wall; inside, the same code builds the same jails as anywhere. So it is a second wall around the
first one, for hosts without Docker.

It has to be an ordinary user who starts it. For root, bubblewrap covers parts of /proc, and then the
kernel refuses a jail a /proc of its own; root's local wall maps two ids for every jail instead.
"""

import os
import shutil
import sys
from pathlib import Path

from grader.errors import WallError
from grader.sandbox.kinds import kind_of, python_of
from grader.sandbox.warm import WarmSandbox
from grader.sandbox.zygote import LABKIT, SCRIPT, Zygote, start_process

SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/lib32",
    "/bin",
    "/sbin",
    "/etc/ld.so.cache",
    "/etc/alternatives",
)


class BubblewrapSandbox(WarmSandbox):
    """Zygotes that bubblewrap starts."""

    wall = "bubblewrap"

    def __init__(self, zygotes: tuple[str, ...] = ("numpy",)) -> None:
        if not sys.platform.startswith("linux"):
            raise WallError("bubblewrap needs Linux; use Docker on this system")
        if os.geteuid() == 0:
            raise WallError(
                "bubblewrap is for ordinary users: start the worker as one, or use the local wall, which "
                "gives root's jails an id of their own (GRADUS_WALL=local)"
            )
        found = shutil.which("bwrap")
        if found is None:
            raise WallError("the program bwrap is missing: sudo apt install bubblewrap")
        self._program = found
        super().__init__(zygotes)

    def _start(self, name: str) -> Zygote:
        python = python_of(name)
        return start_process(kind_of(name), python, prefix=[self._program, *_arguments(python)])


def _arguments(python: Path) -> list[str]:
    """New namespaces of every kind, and a root in which nothing of the host can be written."""
    words = ["--unshare-all", "--new-session", "--tmpfs", "/", "--dev", "/dev", "--proc", "/proc"]
    for place in ("/tmp", "/mnt"):  # noqa: S108
        words += ["--tmpfs", place]
    for path in _shown(python):
        if path.is_symlink():
            words += ["--symlink", os.readlink(path), str(path)]
        elif path.exists():
            words += ["--ro-bind", str(path), str(path)]
    return [*words, "--chdir", "/"]


def _shown(python: Path) -> list[Path]:
    """What a zygote needs of the host, each once."""
    environments = [python.parent.parent]
    environments += [environments[0].resolve(), python.resolve().parent.parent]
    wanted = [*map(Path, SYSTEM), *environments, SCRIPT.parent, LABKIT]
    shown: list[Path] = []
    for path in wanted:
        if path not in shown and not any(path.is_relative_to(other) for other in shown):
            shown.append(path)
    return shown
