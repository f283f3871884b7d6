"""Walls. `open_sandbox` picks the one that was named, or the best that this host can build, or refuses."""

import os
from collections.abc import Callable

from grader.errors import NoWallError, WallError
from grader.protocol import Limits
from grader.sandbox.base import Sandbox
from grader.sandbox.bubblewrap import BubblewrapSandbox
from grader.sandbox.local import LocalSandbox
from grader.sandbox.unsafe import UnsafeSandbox, is_asked_for

__all__ = ["WALLS", "Sandbox", "open_sandbox"]

Zygotes = tuple[str, ...]


def _docker(zygotes: Zygotes) -> Sandbox:
    try:  # it loads more than the rest of the grader
        from grader.sandbox.docker import DockerSandbox
    except ModuleNotFoundError as error:
        raise WallError(f"Python's package {error.name} is missing: pip install docker") from None
    return DockerSandbox(zygotes)


# Best first. `none` is chosen only where GRADUS_UNSAFE_NO_SANDBOX=1 asks for it.
WALLS: dict[str, Callable[[Zygotes], Sandbox]] = {
    "docker": _docker,
    "bubblewrap": BubblewrapSandbox,
    "local": LocalSandbox,
    "none": UnsafeSandbox,
}


def open_sandbox(zygotes: Zygotes = ("numpy",), wall: str | None = None) -> Sandbox:
    """A warmed-up sandbox that has proved itself by building a jail on this host.

    Args:
        zygotes: the kinds that are warmed up now; others are when they are asked for.
        wall: its name; by default what GRADUS_WALL says, else the best that this host can build.

    Raises:
        NoWallError: no wall can be built here; the message says what is in the way.
        WallError: the wall that was named cannot be built.
    """
    wanted = wall or os.environ.get("GRADUS_WALL") or ("none" if is_asked_for() else None)
    if wanted is not None:
        if wanted not in WALLS:
            raise WallError(f"no wall is called {wanted!r}; there are {', '.join(WALLS)}")
        return _proved(wanted, zygotes)
    troubles = []
    for name in WALLS:
        if name == "none":
            continue
        try:
            return _proved(name, zygotes)
        except WallError as error:
            troubles.append(f"{name}: {error}")
    raise NoWallError(
        f"No wall can be built on this host, so nothing is graded. {'. '.join(troubles)}. "
        "`python -m grader doctor` says what this host lacks and how to mend it. To try Gradus without "
        "any wall, with code that is your own: GRADUS_UNSAFE_NO_SANDBOX=1."
    )


def _proved(name: str, zygotes: Zygotes) -> Sandbox:
    """A sandbox behind this wall, in which a jail was built."""
    sandbox = WALLS[name](zygotes)
    try:
        sandbox.open_jail(zygotes[0], Limits()).close()
    except BaseException:
        sandbox.close()
        raise
    return sandbox
