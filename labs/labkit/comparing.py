"""Whether an answer agrees with the reference's, and if not, at which element it first differs.

The referee compares with it, and `check` in plain Jupyter: what is right is decided in one place. Both sides
are plain data as the wire carries it. Types are exact, NaN equals nothing, and floating-point
values agree within a tolerance that depends on the dtype.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Values agree when |got − expected| ≤ absolute + relative · |expected|, element by element."""

    relative: float
    absolute: float
    equal_nan: bool = False  # NaN is right where NaN is expected


class NotPlainData:
    """Stands for a value that no answer can hold; the grader's wire has a class of the same name."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name


TOLERANCES = {
    "float64": Tolerance(1e-9, 1e-12),
    "float32": Tolerance(1e-4, 1e-5),
    "float16": Tolerance(1e-2, 1e-3),
    "bfloat16": Tolerance(2e-2, 1e-2),
    "complex128": Tolerance(1e-9, 1e-12),
    "complex64": Tolerance(1e-4, 1e-5),
}
EXACT = Tolerance(0.0, 0.0)
NUMBERS = ("bool", "int", "float", "complex")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One sentence, and the first element that differs where there is one."""

    message: str
    path: str = ""
    got: str = ""
    expected: str = ""
    relative_error: float | None = None


def is_foreign(value: Any) -> bool:
    """Whether something stands there that is not plain data, on whichever side it was read."""
    return type(value).__name__ == "NotPlainData"


def compare(
    got: Any, expected: Any, tolerance: Tolerance | None = None, path: str = ""
) -> Mismatch | None:
    """None when `got` agrees with `expected`, else what differs first."""
    here = path or "The answer"
    if is_foreign(got):
        return Mismatch(f"{here} is of type {got.type_name}; {_wanted(expected)} is expected", path)
    kind, other = _kind(expected), _kind(got)
    if kind in NUMBERS and other in NUMBERS:
        return _compare_numbers(got, expected, kind, other, tolerance, path)
    if kind != other:
        return Mismatch(f"{here} is {_wanted(got)}; {_wanted(expected)} is expected", path)
    if kind == "dict":
        return _compare_dicts(got, expected, tolerance, path)
    if kind in ("list", "tuple"):
        if len(got) != len(expected):
            return Mismatch(f"{here} has {len(got)} items; {len(expected)} are expected", path)
        pairs = enumerate(zip(got, expected, strict=True))
        return _first(compare(g, e, tolerance, f"{path}[{i}]") for i, (g, e) in pairs)
    if kind in ("array", "tensor"):
        return _compare_arrays(got, expected, tolerance, path)
    if got != expected:
        return Mismatch(f"{here} differs", path, show(got), show(expected))
    return None


def unfit(value: Any, path: str = "") -> Mismatch | None:
    """What no `verify` should have to think of: something that is not plain data, NaN, or no elements.

    Every comparison with NaN is false and every statement about all of no elements is true, so that
    both would pass many a condition that an author wrote.
    """
    here = path or "The answer"
    if is_foreign(value):
        return Mismatch(f"{here} is of type {value.type_name}, which is not plain data", path)
    kind = _kind(value)
    if kind == "dict":
        return _first(unfit(v, f"{path}.{k}" if path else k) for k, v in value.items())
    if kind in ("list", "tuple"):
        return _first(unfit(item, f"{path}[{i}]") for i, item in enumerate(value))
    if kind in ("array", "tensor"):
        array = _numpy(value)
        if array.size == 0:
            return Mismatch(f"{here} has no elements (its shape is {tuple(value.shape)})", path)
        missing = array.dtype.kind in "fc" and bool(np.isnan(array).any())
    else:
        missing = kind in ("float", "complex") and bool(np.isnan(value))
    return Mismatch(f"{here} is not a number (NaN)", path) if missing else None


def _first(mismatches: Any) -> Mismatch | None:
    return next((mismatch for mismatch in mismatches if mismatch is not None), None)


def _kind(value: Any) -> str:
    """The word for a value's type; numpy scalars and 0-d arrays count as plain numbers."""
    if isinstance(value, np.ndarray):
        return "array" if value.shape else _number_kind(value.dtype)
    if isinstance(value, np.generic):
        return _number_kind(value.dtype)
    if value is None:
        return "None"
    for kind, word in ((bool, "bool"), (int, "int"), (float, "float"), (complex, "complex")):
        if isinstance(value, kind):
            return word
    for container in (str, bytes, list, tuple, dict):
        if isinstance(value, container):
            return str(container.__name__)
    return "tensor"


def _number_kind(dtype: np.dtype[Any]) -> str:
    return {"b": "bool", "i": "int", "u": "int", "f": "float", "c": "complex"}[dtype.kind]


def _wanted(value: Any) -> str:
    """`a float64 array of shape (4, 3)`, `a list of 3`, `None`."""
    kind = _kind(value) if not is_foreign(value) else value.type_name
    if kind in ("array", "tensor"):
        article = "an" if str(value.dtype)[:1] in "aeiou" else "a"
        return f"{article} {str(value.dtype).removeprefix('torch.')} {kind} of shape {tuple(value.shape)}"
    if kind in ("list", "tuple", "dict"):
        return f"a {kind} of {len(value)}"
    if kind == "str":
        return "a string"
    return kind if kind == "None" else f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def _compare_numbers(
    got: Any, expected: Any, kind: str, other: str, tolerance: Tolerance | None, path: str
) -> Mismatch | None:
    here = path or "The answer"
    if kind != other and not (kind == "float" and other == "int"):
        return Mismatch(
            f"{here} is {_wanted(got)}; {_wanted(expected)} is expected",
            path,
            show(got),
            show(expected),
        )
    g, e = np.asarray(got)[()], np.asarray(expected)[()]
    if kind in ("bool", "int"):
        agree = bool(g == e)
    else:
        used = tolerance or TOLERANCES.get(str(np.asarray(expected).dtype), TOLERANCES["float64"])
        try:
            agree = bool(g == e) or bool(
                _close(np.asarray(g, dtype=np.asarray(e).dtype), np.asarray(e), used)
            )
        except OverflowError:  # an int that is larger than any float
            agree = False
    if agree:
        return None
    return Mismatch(
        f"{here} is {show(g)}; {show(e)} is expected", path, show(g), show(e), _relative(g, e)
    )


def _compare_dicts(
    got: dict[str, Any], expected: dict[str, Any], tolerance: Tolerance | None, path: str
) -> Mismatch | None:
    missing = [key for key in expected if key not in got]
    extra = [key for key in got if key not in expected]
    if missing or extra:
        what = f"lacks {missing[0]!r}" if missing else f"has {extra[0]!r} that is not expected"
        return Mismatch(f"{path or 'The answer'} {what}", path)
    return _first(
        compare(got[key], expected[key], tolerance, f"{path}.{key}" if path else key)
        for key in expected
    )


def _compare_arrays(
    got: Any, expected: Any, tolerance: Tolerance | None, path: str
) -> Mismatch | None:
    here = path or "The answer"
    if tuple(got.shape) != tuple(expected.shape):
        return Mismatch(
            f"{here} has shape {tuple(got.shape)}; {tuple(expected.shape)} is expected", path
        )
    dtype = str(expected.dtype).removeprefix("torch.")
    if got.dtype != expected.dtype:
        return Mismatch(
            f"{here} has dtype {str(got.dtype).removeprefix('torch.')}; {dtype} is expected", path
        )
    g, e = _numpy(got), _numpy(expected)
    if (g == e).all():  # as most answers are; NaN never is
        return None
    close = _close(g, e, tolerance or TOLERANCES.get(dtype, EXACT))
    if close.all():
        return None
    index = tuple(int(i) for i in np.argwhere(~close)[0])
    count = int((~close).sum())
    many = f" ({count:,} of {close.size:,} elements differ)" if count > 1 else ""
    where = f"{here}[{', '.join(map(str, index))}]"
    return Mismatch(
        f"{where} is {show(g[index])}; {show(e[index])} is expected{many}",
        f"{path}[{', '.join(map(str, index))}]",
        show(g[index]),
        show(e[index]),
        _relative(g[index], e[index]),
    )


def _numpy(value: Any) -> np.ndarray[Any, Any]:
    """An array of a tensor; bfloat16, which numpy lacks, becomes float32."""
    if isinstance(value, np.ndarray):
        return value
    if str(value.dtype) == "torch.bfloat16":
        value = value.float()
    array: np.ndarray[Any, Any] = value.numpy()
    return array


def _close(
    got: np.ndarray[Any, Any], expected: np.ndarray[Any, Any], tolerance: Tolerance
) -> np.ndarray[Any, Any]:
    if got.dtype.kind in "biu":
        return np.asarray(got == expected)
    with np.errstate(all="ignore"):
        wide: Any = np.complex128 if got.dtype.kind == "c" else np.float64
        g, e = got.astype(wide, copy=False), expected.astype(wide, copy=False)
        within = np.abs(g - e) <= tolerance.absolute + tolerance.relative * np.abs(e)
        finite = np.isfinite(e)
        if finite.all():  # then what is infinite or NaN is not within
            return np.asarray(within)
        agree = (within & finite & np.isfinite(g)) | (np.isinf(e) & (g == e))
        if tolerance.equal_nan:
            agree |= np.isnan(e) & np.isnan(g)
        return np.asarray(agree)


def _relative(got: Any, expected: Any) -> float | None:
    with np.errstate(all="ignore"):
        try:
            error = float(abs(got - expected) / abs(expected))
        except (TypeError, ZeroDivisionError, OverflowError):
            return None
    return error if math.isfinite(error) else None


def show(value: Any) -> str:
    """A value as a reader wants it: all digits of a number, a short repr of the rest."""
    if isinstance(value, np.generic):
        value = value.item()
    return repr(value)[:400]
