"""What an object says that student code may call while it is graded: the error and the face of it.

In grading a check hands such an object over as a `Proxy`: each call goes to the trusted side, is counted
there, and comes back. The object itself (a `grader.services.Service`) never enters the jail.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


class ServiceError(RuntimeError):
    """A service refuses a call, and says why."""


class Proxy:
    """Stands for a service on the other side of a wire: its exported methods and its constants."""

    def __init__(
        self,
        name: str,
        methods: Sequence[str],
        constants: Mapping[str, Any],
        ask: Callable[[str, str, list[Any], dict[str, Any]], Any],
    ) -> None:
        self.__dict__.update(constants)
        for method in methods:
            self.__dict__[method] = _Method(name, method, ask)
        if "__call__" in methods:
            self.__dict__["_call"] = _Method(name, "__call__", ask)
        self.__dict__["_name"] = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "_call" not in self.__dict__:
            raise TypeError(f"{self._name} is not callable")
        return self._call(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<service {self._name}>"


class _Method:
    def __init__(
        self, service: str, name: str, ask: Callable[[str, str, list[Any], dict[str, Any]], Any]
    ) -> None:
        self.service, self.name, self.ask = service, name, ask

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.ask(self.service, self.name, list(args), kwargs)

    def __repr__(self) -> str:
        return f"<{self.service}.{self.name}>"
