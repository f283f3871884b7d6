"""`check("name")`: the line of a notebook that asks for a verdict.

While a submission is graded it does nothing, because the referee asks the checks itself, after the
notebook has run: a notebook can't answer for them, and what it prints about them earns nothing.
"""

from collections.abc import Callable

Runner = Callable[[str], None]

_runner: Runner | None = None
_told = False


def use_runner(runner: Runner | None) -> None:
    """Let `runner` answer every later `check(name)`, as a live notebook does; None takes it away."""
    global _runner  # noqa: PLW0603
    _runner = runner


def check(name: str) -> None:
    """Ask for the verdict of one check, where the environment can give one.

    Without a runner it says once how to get a verdict, so that a notebook also runs from top to
    bottom in plain Python.
    """
    global _told  # noqa: PLW0603
    if _runner is not None:
        _runner(name)
    elif not _told:
        _told = True
        print(f"check({name!r}): submit the notebook to see the verdicts of its checks.")
