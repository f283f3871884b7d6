"""What a wall is: something that hands out jails. The rest of the grader knows no more about it."""

from typing import Protocol

from grader.protocol import Limits
from grader.sandbox.jail import Jail


class Sandbox(Protocol):
    """A wall with warm zygotes behind it."""

    @property
    def wall(self) -> str:
        """Its name, as reports carry it: `local`, `bubblewrap`, `docker` or `none`."""
        ...

    @property
    def unsafe(self) -> bool:
        """True when it does not confine anything; every report and page says so."""
        ...

    def open_jail(self, zygote: str, limits: Limits) -> Jail:
        """A fresh jail whose walls stand.

        Raises:
            WallError: it could not be built.
        """
        ...

    def close(self) -> None:
        """End every zygote and with it every jail."""
        ...
