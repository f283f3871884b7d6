"""The wall that needs nothing but Linux: jails in namespaces of their own, straight on this host.

Root's zygote maps two ids for every jail; an ordinary user's maps its own, where the host allows
unprivileged user namespaces.
"""

import sys

from grader.errors import NoWallError
from grader.sandbox.kinds import kind_of, python_of
from grader.sandbox.warm import WarmSandbox
from grader.sandbox.zygote import Zygote, start_process


class LocalSandbox(WarmSandbox):
    """Zygotes that are this process's children."""

    wall = "local"

    def __init__(self, zygotes: tuple[str, ...] = ("numpy",)) -> None:
        if not sys.platform.startswith("linux"):
            raise NoWallError("the local wall needs Linux; use Docker on this system")
        super().__init__(zygotes)

    def _start(self, name: str) -> Zygote:
        return start_process(kind_of(name), python_of(name))
