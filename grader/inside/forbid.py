"""In the jail: functions that a lab forbids raise when they are called. A reminder, and no wall."""

import contextlib
import importlib
from collections.abc import Callable
from typing import Any


class ForbiddenError(RuntimeError):
    """A function was called that this lab has students write themselves."""


def _raiser(name: str) -> Callable[..., Any]:
    def forbidden(*_: Any, **__: Any) -> Any:
        raise ForbiddenError(f"{name}, which this lab does not allow: write it yourself")

    forbidden.__name__ = name.rpartition(".")[2]
    return forbidden


def forbid(names: list[str]) -> None:
    """Put a function that raises in the place of each of these."""
    for name in names:
        module, _, attribute = name.rpartition(".")
        with contextlib.suppress(ImportError, AttributeError, TypeError):
            holder = _holder(module)
            if hasattr(holder, attribute):
                setattr(holder, attribute, _raiser(name))


def _holder(path: str) -> Any:
    """The module or class of that name."""
    try:
        return importlib.import_module(path)
    except ImportError:
        module, _, attribute = path.rpartition(".")
        if not module:
            raise
        return getattr(_holder(module), attribute)
