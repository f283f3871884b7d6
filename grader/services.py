"""Services: trusted objects that student code may call while it is graded, counted outside the jail.

    class Target(Service):
        constants = ("vocabulary",)

        def __init__(self, model):
            self.model, self.vocabulary = model, model.vocabulary

        @exported
        def logits(self, tokens: list[int]) -> np.ndarray:
            if not tokens:
                raise ServiceError("give at least one token")
            return self.model.forward(tokens)

    @check(…, services=lambda inputs, rng: {"target": Target(inputs["model"])},
           verify=lambda inputs, outputs, services: …services["target"].calls["logits"]…)
    def speculative(lab, target, prompt): …

In the check's body `target` is a proxy: each call crosses the wire as plain data, is executed here and
answered. The reference calls an instance of its own directly. Both are counted in the same way. A call
whose arguments make no sense is refused: an exception in the student's code, and never our failure.
"""

import functools
import inspect
import time
import types
import typing
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np

from grader.clock import TookTooLong, within
from grader.inside import wire
from grader.kit import ServiceError
from grader.plain import strange

__all__ = ["Service", "ServiceDesk", "ServiceError", "TooManyCalls", "exported"]

_F = TypeVar("_F", bound=Callable[..., Any])
MAX_REFUSAL = 1_000
SERVICE_SECONDS = 60.0  # that one check may keep its services busy, in all its trials


def exported(method: _F) -> _F:
    """A method that student code may call. Each call from outside the object is counted."""

    @functools.wraps(method)
    def counted(self: "Service", *args: Any, **kwargs: Any) -> Any:
        if self._inside:
            return method(self, *args, **kwargs)
        self.calls[method.__name__] += 1
        self.order.append(method.__name__)
        self._inside = True
        try:
            return method(self, *args, **kwargs)
        finally:
            self._inside = False

    counted.exported = True  # type: ignore[attr-defined]
    return counted  # type: ignore[return-value]


class Service:
    """Base of what a lab hands to student code by way of `services=`.

    Attributes:
        calls: how often each exported method was called from outside.
        order: the names of the called methods, one for each call.
        constants: attributes that the proxy has, too; plain data.
        max_calls: calls of all methods in one trial; one more fails the check.
        max_mib: of all arguments in one trial.
    """

    constants: ClassVar[tuple[str, ...]] = ()
    max_calls: ClassVar[int] = 10_000
    max_mib: ClassVar[float] = 64.0

    calls: Counter[str]
    order: list[str]
    _inside: bool

    def __new__(cls, *_: Any, **__: Any) -> "Service":
        service = super().__new__(cls)
        service.calls, service.order, service._inside = Counter(), [], False
        return service

    @classmethod
    def exported_methods(cls) -> list[str]:
        """The names of what student code may call."""
        return [
            name
            for name, member in inspect.getmembers(cls, inspect.isfunction)
            if getattr(member, "exported", False)
        ]


class TooManyCalls(Exception):
    """Student code called a service more often, or with more data, than the check allows."""


class ServiceDesk:
    """Answers the calls of one trial. What comes in is hostile, whatever is asked."""

    def __init__(self, services: Mapping[str, Service], seconds: float = 0.0) -> None:
        self.services = services
        self.seconds = seconds  # spent in services, in this check's earlier trials, too: not the student's time
        self._bytes: Counter[str] = Counter()
        self._asked: Counter[str] = (
            Counter()
        )  # refused calls among them, which no service has counted

    def described(self) -> dict[str, Any]:
        """What a jail has to know to make proxies."""
        return {
            name: {
                "methods": service.exported_methods(),
                "constants": {key: getattr(service, key) for key in service.constants},
            }
            for name, service in self.services.items()
        }

    def answer(self, call: Any) -> list[bytes | memoryview]:
        """The frame that answers a call.

        Raises:
            wire.WireError: this is no call.
            TooManyCalls: it is one too many. TookTooLong: services have been busy for too long.
        """
        began = time.monotonic()
        try:
            return self._answer(*_parsed(call))
        finally:
            self.seconds += time.monotonic() - began

    def _answer(
        self, name: str, method: str, args: list[Any], kwargs: dict[str, Any]
    ) -> list[bytes | memoryview]:
        service = self.services.get(name)
        known, most = (name, service.max_calls) if service else ("", Service.max_calls)
        self._asked[known] += 1
        if self._asked[known] > most:
            raise TooManyCalls(f"{name[:60]} was called more than {most:,} times")
        if service is None or method not in service.exported_methods():
            return wire.encode({"refused": f"{name[:60]} has no method {method[:60]}"})
        self._bytes[name] += _size([args, kwargs])
        if self._bytes[name] > service.max_mib * 2**20:
            raise TooManyCalls(f"{name} was given more than {service.max_mib:g} MiB")
        function = getattr(service, method)
        try:
            _fit(f"{name}.{method}", function, args, kwargs)
            left = max(0.01, SERVICE_SECONDS - self.seconds)
            return wire.encode({"value": within(left, function, *args, **kwargs)})
        except TookTooLong:
            raise
        except ServiceError as error:
            return wire.encode({"refused": str(error)[:MAX_REFUSAL]})
        except Exception as error:  # arguments that the service did not expect; no text, it is ours
            kind = type(error).__name__
            return wire.encode({"refused": f"{name}.{method} cannot answer this call ({kind})"})


def _parsed(call: Any) -> tuple[str, str, list[Any], dict[str, Any]]:
    if not (isinstance(call, list) and len(call) == 4):
        raise wire.WireError("a service was called with something that is no call")
    name, method, args, kwargs = call
    if not (isinstance(name, str) and isinstance(method, str)):
        raise wire.WireError("a service was called without a name")
    if not (isinstance(args, list) and isinstance(kwargs, dict)):
        raise wire.WireError("a service was called without arguments")
    return name, method, args, kwargs


def _size(value: Any) -> int:
    """Bytes of a call's arguments, more or less."""
    if isinstance(value, list | tuple):
        return 8 + sum(map(_size, value))
    if isinstance(value, dict):
        return 8 + sum(len(key) + _size(item) for key, item in value.items())
    if isinstance(value, str | bytes):
        return len(value)
    return int(getattr(value, "nbytes", 8))


def _fit(what: str, function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> None:
    """Refuse arguments that the method's signature and annotations do not allow.

    Raises:
        ServiceError
    """
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        raise ServiceError(f"{what}: {error}") from None
    hints = typing.get_type_hints(inspect.unwrap(function))
    for name, value in bound.arguments.items():
        if (name_of_type := strange(value)) is not None:
            raise ServiceError(f"{what}: {name} is of type {name_of_type}; pass plain data")
        if name in hints and not _has_type(value, hints[name]):
            raise ServiceError(f"{what}: {name} has to be {_in_words(hints[name])}")


def _has_type(value: Any, hint: Any) -> bool:
    """Whether a value is what simple annotations say; what they cannot say is let by."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_has_type(value, one) for one in arguments)
    if hint is type(None) or hint is None:
        return value is None
    if hint is float:
        return type(value) in (int, float)
    if hint is int:
        return type(value) is int or isinstance(value, np.integer)
    if origin is list and arguments:
        return type(value) is list and all(_has_type(item, arguments[0]) for item in value)
    if origin in (dict, tuple, list):
        return type(value) is origin
    if hint in (bool, str, bytes, list, tuple, dict):
        return type(value) is hint
    return not isinstance(hint, type) or isinstance(value, hint)


def _in_words(hint: Any) -> str:
    return str(getattr(hint, "__name__", hint)) if not typing.get_args(hint) else str(hint)
