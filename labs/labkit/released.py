"""Values as JSON: what a release carries of inputs and expected answers, so that `check` works anywhere.

The same kinds of values as on the grader's wire: None, bool, int, float, complex, str, bytes, list, tuple,
dict with str keys, numpy arrays and scalars, torch tensors. Plain data, never pickle. In the JSON an object
always has exactly one tag:

    {"d": {…}} dict   {"t": […]} tuple   {"i": "…"} large int   {"f": "nan"} float that JSON lacks
    {"c": […]} complex   {"b": "…"} bytes   {"x": "type"} something that is not plain data
    {"a": […]} array   {"s": […]} numpy scalar   {"T": […]} tensor, each as [dtype, shape, base64]
"""

import base64
import math
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from .comparing import NotPlainData

EXACT_INT = 2**53
MAX_PRINTED_ELEMENTS = 400


def to_json(value: Any) -> Any:
    """The value as a tree of JSON."""
    exact = type(value)
    if value is None or exact in (bool, str):
        return value
    if exact is int:
        return value if -EXACT_INT < value < EXACT_INT else {"i": str(value)}
    if exact is float:
        return value if math.isfinite(value) else {"f": repr(value)}
    if exact is complex:
        return {"c": [to_json(value.real), to_json(value.imag)]}
    if exact is bytes:
        return {"b": base64.b64encode(value).decode()}
    if exact is list:
        return [to_json(item) for item in value]
    if exact is tuple:
        return {"t": [to_json(item) for item in value]}
    if exact is dict and all(type(key) is str for key in value):
        return {"d": {key: to_json(item) for key, item in value.items()}}
    if exact is np.ndarray and value.dtype.kind in "biufc":
        return {"a": _packed(value)}
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return {"s": _packed(np.asarray(value))}
    return _tensor_to_json(value)


def _tensor_to_json(value: Any) -> Any:
    torch = sys.modules.get("torch")
    if torch is not None and type(value) is torch.Tensor:
        plain = value.detach().to("cpu").contiguous()
        if plain.dtype == torch.bfloat16:  # numpy has no such dtype
            return {"T": ["bfloat16", *_packed(plain.view(torch.uint16).numpy())[1:]]}
        if not plain.dtype.is_complex and plain.layout == torch.strided:
            return {"T": _packed(plain.numpy())}
    return {"x": f"{type(value).__module__}.{type(value).__qualname__}"[:200]}


def _packed(array: Any) -> list[Any]:
    plain = np.ascontiguousarray(array)
    little = plain.astype(plain.dtype.newbyteorder("<"))
    return [plain.dtype.name, list(array.shape), base64.b64encode(little.tobytes()).decode()]


def from_json(node: Any) -> Any:
    """The value of a tree that `to_json` made."""
    if isinstance(node, list):
        return [from_json(item) for item in node]
    if not isinstance(node, dict):
        return node
    ((tag, content),) = node.items()
    if tag == "d":
        return {key: from_json(item) for key, item in content.items()}
    if tag == "t":
        return tuple(from_json(item) for item in content)
    if tag == "i":
        return int(content)
    if tag == "f":
        return float(content)
    if tag == "c":
        real, imaginary = (from_json(part) for part in content)
        return complex(real, imaginary)
    if tag == "b":
        return base64.b64decode(content)
    if tag == "a":
        return _unpacked(*content)
    if tag == "s":
        return _unpacked(*content)[()]
    if tag == "T":
        import torch

        if content[0] == "bfloat16":
            return torch.from_numpy(_unpacked("uint16", *content[1:])).view(torch.bfloat16)
        return torch.from_numpy(_unpacked(*content))
    return NotPlainData(content)


def _unpacked(dtype: str, shape: list[int], data: str) -> Any:
    little = np.dtype(dtype).newbyteorder("<")
    return np.frombuffer(base64.b64decode(data), dtype=little).astype(dtype).reshape(shape)


def plain(value: Any) -> Any:
    """The value as a referee would have it: copied, contiguous, plain."""
    return from_json(to_json(value))


def describe_inputs(inputs: Mapping[str, Any]) -> str:
    """Python text that makes the inputs again; large arrays are named by dtype and shape alone."""
    lines = [_line(name, value) for name, value in inputs.items()]
    text = "\n".join(lines)
    return text if len(text) <= 7_900 else text[:7_900] + "\n# … cut"


def _line(name: str, value: Any) -> str:
    if _is_array(value) and math.prod(value.shape) > MAX_PRINTED_ELEMENTS:
        kind = "array" if isinstance(value, np.ndarray) else "tensor"
        return f"# {name}: {value.dtype} {kind} of shape {tuple(value.shape)}"
    return f"{name} = {_source(value)}"


def _source(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()!r}, dtype={str(value.dtype)!r})"
    if _is_array(value):
        return f"torch.tensor({value.tolist()!r}, dtype={value.dtype})"
    if isinstance(value, np.generic):
        return f"np.{value.dtype}({value.item()!r})"
    if isinstance(value, list):
        large = [_is_array(item) and math.prod(item.shape) > MAX_PRINTED_ELEMENTS for item in value]
        items = ["..." if cut else _source(item) for item, cut in zip(value, large, strict=True)]
        inside = f"[{', '.join(items)}]"
        return f"per_rank({inside})" if type(value).__name__ == "PerRank" else inside
    return repr(value)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or type(value).__module__ == "torch"
