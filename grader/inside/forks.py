"""Forks of ours, without what libraries want done around a fork.

`logging`, `random`, `threading` pools and others register functions that take their locks before a fork
and make them anew after it. In a fork of a process with a single thread none of that has a use, yet it
writes to two hundred pages that the fork shared until then: a third of what the fork costs. Random
generators are seeded with public constants in every notebook and every check, so they need it as little.
A fork by the student's own code does all that it does elsewhere.
"""

import os
from collections.abc import Callable, Iterable

Hook = Callable[[], object]

_os_fork = os.fork
_before: list[Hook] = []
_in_parent: list[Hook] = []
_in_child: list[Hook] = []
_ours = False  # whether the fork that goes on is one of ours


def install() -> None:
    """Keep what is registered from now on; to be called before anything registers."""
    os.register_at_fork(
        before=lambda: _call(reversed(_before)),
        after_in_parent=lambda: _call(_in_parent),
        after_in_child=lambda: _call(_in_child),
    )
    os.register_at_fork = _register


def _register(
    *,
    before: Hook | None = None,
    after_in_child: Hook | None = None,
    after_in_parent: Hook | None = None,
) -> None:
    """What stands in for `os.register_at_fork`."""
    for hook, hooks in (
        (before, _before),
        (after_in_child, _in_child),
        (after_in_parent, _in_parent),
    ):
        if hook is not None:
            hooks.append(hook)


def _call(hooks: Iterable[Hook]) -> None:
    if not _ours:
        for hook in hooks:
            hook()


def fork() -> int:
    """`os.fork` by a process of which this is the only thread."""
    global _ours  # noqa: PLW0603
    _ours = True
    try:
        return _os_fork()
    finally:
        _ours = False
