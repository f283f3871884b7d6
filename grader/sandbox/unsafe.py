"""No wall at all, for trying Gradus on a host that can build none. Never for code that is not one's own.

It takes GRADUS_UNSAFE_NO_SANDBOX=1. Everything that is graded this way carries `unsafe`: the worker announces
it, reports and pages say it, and a site in production refuses such a worker.
"""

import os
from dataclasses import replace

from grader.errors import NoWallError
from grader.sandbox.kinds import kind_of, python_of
from grader.sandbox.local import LocalSandbox
from grader.sandbox.zygote import Zygote, start_process

VARIABLE = "GRADUS_UNSAFE_NO_SANDBOX"


def is_asked_for() -> bool:
    """Whether the operator has said so; only exactly 1 counts."""
    return os.environ.get(VARIABLE) == "1"


class UnsafeSandbox(LocalSandbox):
    """Forks of warm zygotes that nothing confines.

    Raises:
        NoWallError: nobody asked for it.
    """

    wall = "none"
    unsafe = True

    def __init__(self, zygotes: tuple[str, ...] = ("numpy",)) -> None:
        if not is_asked_for():
            raise NoWallError(
                f"grading without a wall has to be asked for: {VARIABLE}=1 lets what students wrote "
                "run as this user, with this user's files and network. `python -m grader doctor` says "
                "what a wall would take"
            )
        super().__init__(zygotes)

    def _start(self, name: str) -> Zygote:
        return start_process(replace(kind_of(name), bare=True), python_of(name))
