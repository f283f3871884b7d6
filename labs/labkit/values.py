"""What the network has to know about the values that it carries; torch is never imported for it."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .comm import CommError

FREE_SHAPE_BITS = 32


def is_tensor(value: Any) -> bool:
    """Whether it is a torch tensor, without importing torch to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def payload_bytes(value: Any) -> int:
    """Bytes of data: of arrays their elements, of a number 8, of text its UTF-8.

    The outermost list, tuple or dict is free. What is nested in it and could spell a message by being there
    costs 8: None, a further container, an integer by its digits, an empty array by a shape too long to be one.
    """
    if value is None:
        return 0
    if isinstance(value, list | tuple):
        return sum(map(_inner_bytes, value))
    if isinstance(value, dict):
        return sum(payload_bytes(key) + _inner_bytes(item) for key, item in value.items())
    if isinstance(value, str | bytes):
        return len(value.encode("utf-8", "replace") if isinstance(value, str) else value)
    if isinstance(value, int):
        return max(8, (value.bit_length() + 7) // 8)
    if isinstance(value, complex) and not isinstance(value, np.generic):
        return 16
    if isinstance(value, np.ndarray | np.generic):
        return int(value.nbytes) or _shape_bytes(value.shape)
    if is_tensor(value):
        return int(value.numel() * value.element_size()) or _shape_bytes(tuple(value.shape))
    return 8


def _inner_bytes(value: Any) -> int:
    """Of something within a container, whose very presence says something."""
    if value is None:
        return 8
    nested = isinstance(value, list | tuple | dict)
    return payload_bytes(value) + (8 if nested else 0)


def _shape_bytes(shape: tuple[int, ...]) -> int:
    """Of an array without elements: `(0, 4096, 64)` is one, `(2**40, 0)` is a number in disguise."""
    bits = sum(size.bit_length() for size in shape)
    return 0 if bits <= FREE_SHAPE_BITS else (bits + 7) // 8


def kind_of(value: Any) -> str:
    """`float64 array of shape (4,)`: what has to be the same on every rank."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    if is_tensor(value):
        return f"{str(value.dtype).removeprefix('torch.')} tensor of shape {tuple(value.shape)}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__} of {len(value)}"
    return type(value).__name__


def copied(value: Any) -> Any:
    """A value of one's own, as the other end of a wire would have it."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if is_tensor(value):
        return value.detach().clone()
    if isinstance(value, list | tuple):
        return type(value)(copied(item) for item in value)
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return value


def reduce_values(values: list[Any], op: str) -> Any:
    """The reduction over ranks, in the order of the ranks.

    Raises:
        CommError: these are no arrays of one shape and dtype, or the operation does not fit them.
    """
    first = values[0]
    if not (isinstance(first, np.ndarray | np.generic) or is_tensor(first)):
        raise CommError(f"{kind_of(first)} cannot be reduced; give an array or a tensor")
    if any(kind_of(value) != kind_of(first) for value in values):
        raise CommError("the ranks' values have different shapes or dtypes")
    if op == "avg" and not _is_inexact(first):
        raise CommError(f"avg needs floating-point numbers, not {kind_of(first)}")
    try:
        return _reduced(values, op)
    except (
        TypeError,
        RuntimeError,
        NotImplementedError,
    ):  # the largest complex number, bool minus …
        raise CommError(f"{op} is not defined for {kind_of(first)}") from None


def _reduced(values: list[Any], op: str) -> Any:
    first = values[0]
    combine = _combine(first, op)
    total = copied(first) if len(values) == 1 else first
    with np.errstate(all="ignore"):
        for value in values[1:]:
            total = combine(total, value)
        if op == "avg":
            total = total / len(values)
    return np.asarray(total) if isinstance(first, np.ndarray) else total


def _is_inexact(value: Any) -> bool:
    if is_tensor(value):
        return bool(value.is_floating_point() or value.is_complex())
    return bool(np.issubdtype(value.dtype, np.inexact))


def _combine(first: Any, op: str) -> Callable[[Any, Any], Any]:
    if op in ("max", "min"):
        name = f"{op}imum"
        function: Callable[[Any, Any], Any]
        function = getattr(sys.modules["torch"] if is_tensor(first) else np, name)
        return function
    if op == "prod":
        return lambda a, b: a * b
    return lambda a, b: a + b
