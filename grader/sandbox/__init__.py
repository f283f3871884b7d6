"""Walls. `open_sandbox` picks the one that this host can build, or refuses."""

from grader.errors import NoWallError, WallError
from grader.protocol import Limits
from grader.sandbox.base import Sandbox
from grader.sandbox.local import LocalSandbox

__all__ = ["Sandbox", "open_sandbox"]


def open_sandbox(zygotes: tuple[str, ...] = ("numpy",)) -> Sandbox:
    """A warmed-up sandbox that has proved itself by building a jail on this host.

    Raises:
        NoWallError: no wall can be built here; the message says what is in the way.
    """
    sandbox = LocalSandbox(zygotes)
    try:
        sandbox.open_jail(zygotes[0], Limits()).close()
    except WallError as error:
        sandbox.close()
        raise NoWallError(
            f"No wall can be built on this host, so nothing is graded: {error}. "
            "Unprivileged user namespaces may be switched off (sysctl user.max_user_namespaces, "
            "kernel.apparmor_restrict_unprivileged_userns)."
        ) from error
    return sandbox
