"""Frames between a jail and the trusted side: plain data only, every size tested before allocation.

Theory of operation. A frame is a 12-byte preamble (header length u32, body length u64, big endian),
a JSON header and a raw body. The header is `{"tree": …, "buffers": [[kind, shape], …]}`; the body is
the buffers one after the other. A tree is JSON in which an object always has exactly one tag:

    {"d": {…}} dict   {"t": […]} tuple   {"i": "…"} large int   {"f": "nan"} float that JSON lacks
    {"c": […]} complex   {"a": n} ndarray   {"s": n} numpy scalar   {"T": n} torch tensor
    {"b": n} bytes   {"S": n} long str   {"x": "type"} something that is not plain data

The trusted side treats every frame as hostile: one absolute deadline per frame for reads and writes,
header ≤ 64 KiB, a structural scan (depth, tokens) before parsing, no NaN constants, no duplicate
keys, kinds from a list, and the body's length equal to the sum of the declared buffers and within the
caller's cap before a byte of it is allocated. Never pickle, never eval.
"""

import json
import math
import re
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

# Bound at import: in a jail, a notebook may put something else in their places.
_poll, _monotonic = select.poll, time.monotonic

PREAMBLE = struct.Struct(">IQ")
MAX_HEADER_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_TOKENS = 10_000
MAX_BUFFERS = 2_000
MAX_INT_DIGITS = 1_000
SHORT_TEXT = 256
EXACT_INT = 2**53

NUMPY_KINDS = {
    "bool": np.dtype(np.bool_),
    "i1": np.dtype("<i1"),
    "i2": np.dtype("<i2"),
    "i4": np.dtype("<i4"),
    "i8": np.dtype("<i8"),
    "u1": np.dtype("<u1"),
    "u2": np.dtype("<u2"),
    "u4": np.dtype("<u4"),
    "u8": np.dtype("<u8"),
    "f2": np.dtype("<f2"),
    "f4": np.dtype("<f4"),
    "f8": np.dtype("<f8"),
    "c8": np.dtype("<c8"),
    "c16": np.dtype("<c16"),
}
KIND_OF = {dtype: kind for kind, dtype in NUMPY_KINDS.items()}
BFLOAT16 = "bf2"  # carried as u2; only torch has it
RAW_KINDS = ("bytes", "text")


class WireError(Exception):
    """The other end broke the protocol or sent too much."""


class WireTimeout(Exception):
    """The deadline of a frame passed."""


class WireClosed(Exception):
    """The other end closed before a whole frame had come."""


class NotPlainData:
    """Stands for a value that cannot cross the wire; `type_name` is what it was."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name

    def __repr__(self) -> str:
        return f"<{self.type_name}>"


# --- encoding --------------------------------------------------------------------------------------


class _Encoder:
    def __init__(self) -> None:
        self.declared: list[list[Any]] = []
        self.buffers: list[bytes | memoryview] = []

    def buffer(self, kind: str, shape: list[int], data: Any) -> int:
        self.declared.append([kind, shape])
        self.buffers.append(data)
        return len(self.declared) - 1

    def array(self, value: Any, kind: str | None = None) -> int:
        plain = np.ascontiguousarray(value)
        kind = kind or KIND_OF[plain.dtype.newbyteorder("<")]
        if plain.dtype.byteorder == ">":
            plain = plain.astype(plain.dtype.newbyteorder("<"))
        return self.buffer(kind, list(value.shape), plain.tobytes())

    def tree(self, value: Any, depth: int = 0) -> Any:  # noqa: PLR0912
        exact = type(value)
        if depth >= MAX_DEPTH - 4:
            return {"x": "nesting that is too deep"}
        if value is None or exact is bool:
            return value
        if exact is int:
            return value if -EXACT_INT < value < EXACT_INT else {"i": _digits(value)}
        if exact is float:
            return value if math.isfinite(value) else {"f": repr(value)}
        if exact is complex:
            return {"c": [self.tree(value.real), self.tree(value.imag)]}
        if exact is str:
            if len(value) <= SHORT_TEXT:
                return value.encode("utf-8", "replace").decode()
            raw = value.encode("utf-8", "replace")
            return {"S": self.buffer("text", [len(raw)], raw)}
        if exact is bytes:
            return {"b": self.buffer("bytes", [len(value)], value)}
        if exact is list:
            return [self.tree(item, depth + 1) for item in value]
        if exact is tuple:
            return {"t": [self.tree(item, depth + 1) for item in value]}
        if exact is dict:
            if all(type(key) is str and len(key) <= SHORT_TEXT for key in value):
                return {"d": {key: self.tree(item, depth + 1) for key, item in value.items()}}
            return {"x": "dict with keys that are not short strings"}
        if exact is np.ndarray:
            if value.dtype.newbyteorder("<") in KIND_OF:
                return {"a": self.array(value)}
            return {"x": f"numpy.ndarray of dtype {value.dtype}"}
        if isinstance(value, np.generic) and value.dtype.newbyteorder("<") in KIND_OF:
            return {"s": self.array(np.asarray(value))}
        return self.torch(value)

    def torch(self, value: Any) -> Any:
        torch = sys.modules.get("torch")
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        if torch is None or type(value) is not torch.Tensor:
            return {"x": name[:200]}
        plain = value.detach().to("cpu").contiguous()
        if plain.dtype == torch.bfloat16:
            return {"T": self.array(plain.view(torch.uint16).numpy(), BFLOAT16)}
        try:
            return {"T": self.array(plain.numpy())}
        except (TypeError, KeyError):
            return {"x": f"torch.Tensor of dtype {value.dtype}"}


def _digits(value: int) -> str:
    if value.bit_length() > MAX_INT_DIGITS * 3:
        raise WireError("an integer has too many digits")
    return str(value)


_JSON = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


class Frame(list[bytes | memoryview]):
    """The parts of one frame: preamble, header, buffers; and what the header says, for who made it."""

    tree: Any
    declared: list[list[Any]]

    def value(self) -> Any:
        """A fresh copy of what it carries. Nothing is doubted: this is a frame of our own."""
        pieces = zip(self.declared, self[2:], strict=True)
        return _assembled(
            self.tree, ((kind, tuple(shape), piece) for (kind, shape), piece in pieces)
        )


def encode(value: Any) -> Frame:
    """The parts of one frame that carries `value`.

    Raises:
        WireError: the value has more structure than a frame may have.
    """
    encoder = _Encoder()
    tree = encoder.tree(value)
    header = _JSON.encode({"tree": tree, "buffers": encoder.declared}).encode()
    if len(header) > MAX_HEADER_BYTES:
        raise WireError("the answer has too many parts; return arrays in place of long lists")
    if len(encoder.declared) > MAX_BUFFERS:
        raise WireError("the answer has too many arrays")
    body = sum(len(buffer) for buffer in encoder.buffers)
    frame = Frame((PREAMBLE.pack(len(header), body), header, *encoder.buffers))
    frame.tree, frame.declared = tree, encoder.declared
    return frame


# --- decoding --------------------------------------------------------------------------------------

# The closing quote is optional, so that a match never fails and the scan stays linear; a string without
# one reaches to the end, and the parser refuses it.
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


_SURROGATE = re.compile("[\ud800-\udfff]")


def scan(header: bytes) -> None:
    """Refuse a header that is too deep or has too many tokens, before any parser sees it."""
    if header.count(b"[") + header.count(b"{") <= MAX_DEPTH and len(header) <= 4 * MAX_TOKENS:
        return  # it cannot be
    depth = 0
    for tokens, match in enumerate(_STRUCTURE.finditer(header)):
        first = match.group()[:1]
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise WireError("a header is nested too deeply")
        elif first in b"]}":
            depth -= 1
        if tokens > 4 * MAX_TOKENS:  # tokens counts punctuation as well; values are bounded below
            raise WireError("a header has too many tokens")


def _no_constant(name: str) -> float:
    raise WireError(f"a header holds {name}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise WireError("a header repeats a key")
    for key in result:
        if not key.isascii() and _SURROGATE.search(key):
            raise WireError("a header has half a character in a key")
    return result


_STRICT_JSON = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_unique)


def parse_header(header: bytes) -> tuple[Any, list[tuple[str, tuple[int, ...], int]]]:
    """The tree and the declared buffers as (kind, shape, bytes)."""
    scan(header)
    try:
        document = _STRICT_JSON.decode(header.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise WireError("a header is not JSON") from error
    if not isinstance(document, dict) or set(document) != {"tree", "buffers"}:
        raise WireError("a header has other fields than tree and buffers")
    buffers = document["buffers"]
    if not isinstance(buffers, list) or len(buffers) > MAX_BUFFERS:
        raise WireError("a header declares no list of buffers")
    return document["tree"], [_declared(entry) for entry in buffers]


def _declared(entry: Any) -> tuple[str, tuple[int, ...], int]:
    if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], list)):
        raise WireError("a buffer is not declared as [kind, shape]")
    kind, shape = entry
    if len(shape) > MAX_DEPTH:
        raise WireError("a buffer has an impossible shape")
    for size in shape:
        if type(size) is not int or not 0 <= size < EXACT_INT:
            raise WireError("a buffer has an impossible shape")
    if kind in RAW_KINDS and len(shape) == 1:
        item = 1
    elif kind == BFLOAT16:
        item = 2
    elif isinstance(kind, str) and kind in NUMPY_KINDS:
        item = NUMPY_KINDS[kind].itemsize
    else:
        raise WireError("a buffer has an unknown kind")
    return kind, tuple(shape), math.prod(shape) * item


def decode(
    tree: Any, declared: list[tuple[str, tuple[int, ...], int]], body: bytes | bytearray
) -> Any:
    """The value of a frame whose header was parsed and whose body has the declared length."""
    return _assembled(tree, _pieces(declared, memoryview(body)))


def _pieces(
    declared: list[tuple[str, tuple[int, ...], int]], body: memoryview
) -> Iterable[tuple[str, tuple[int, ...], memoryview]]:
    offset = 0
    for kind, shape, size in declared:
        yield kind, shape, body[offset : offset + size]
        offset += size


def _assembled(tree: Any, pieces: Iterable[tuple[str, tuple[int, ...], bytes | memoryview]]) -> Any:
    """The value of a tree and its buffers, each of which is copied."""
    buffers: list[Any] = []
    for kind, shape, piece in pieces:
        if kind == "bytes":
            buffers.append((kind, bytes(piece)))
        elif kind == "text":
            try:
                buffers.append((kind, bytes(piece).decode("utf-8")))
            except UnicodeDecodeError as error:
                raise WireError("a text is not UTF-8") from error
        else:
            dtype = NUMPY_KINDS["u2" if kind == BFLOAT16 else kind]
            try:
                array = np.frombuffer(piece, dtype=dtype).reshape(shape).copy()
            except ValueError as error:  # e.g. (0, 2**52): no bytes, but no array either
                raise WireError("a buffer has an impossible shape") from error
            buffers.append((kind, array))
    value = _value(tree, buffers)
    if any(buffer is not None for buffer in buffers):
        raise WireError("a buffer is declared and not used")
    return value


def _value(node: Any, buffers: list[Any]) -> Any:  # noqa: PLR0912
    if isinstance(node, str):
        return node.encode("utf-8", "replace").decode()  # JSON can spell lone surrogates
    if node is None or isinstance(node, bool | int | float):
        return node
    if isinstance(node, list):
        return [_value(item, buffers) for item in node]
    if not isinstance(node, dict) or len(node) != 1:
        raise WireError("a tree holds an unknown node")
    ((tag, content),) = node.items()
    if tag == "d" and isinstance(content, dict):
        return {key: _value(item, buffers) for key, item in content.items()}
    if tag == "t" and isinstance(content, list):
        return tuple(_value(item, buffers) for item in content)
    if tag == "i" and isinstance(content, str) and len(content) <= MAX_INT_DIGITS + 1:
        try:
            return int(content)
        except ValueError as error:
            raise WireError("an integer is not one") from error
    if tag == "f" and content in ("nan", "inf", "-inf"):
        return float(content)
    if tag == "c" and isinstance(content, list) and len(content) == 2:
        real, imaginary = (_value(part, buffers) for part in content)
        if isinstance(real, int | float) and isinstance(imaginary, int | float):
            return complex(real, imaginary)
    if tag == "x" and isinstance(content, str):
        return NotPlainData(content[:200])
    if tag in ("a", "s", "T", "b", "S") and type(content) is int and 0 <= content < len(buffers):
        # Each is used once: one array under a thousand names would cost a reader a thousand times
        # what was paid to send it.
        buffer, buffers[content] = buffers[content], None
        if buffer is None:
            raise WireError("a buffer is used twice")
        return _from_buffer(tag, *buffer)
    raise WireError("a tree holds an unknown node")


def _from_buffer(tag: str, kind: str, data: Any) -> Any:
    expected = {"b": "bytes", "S": "text"}.get(tag)
    if (expected or kind) != kind or (expected is None and kind in RAW_KINDS):
        raise WireError("a buffer is used as something else")
    if tag == "s":
        if data.shape != () or kind == BFLOAT16:
            raise WireError("a scalar has a shape")
        return data[()]
    if tag == "T":
        torch = sys.modules.get("torch")
        if torch is None:
            return NotPlainData("torch.Tensor")
        tensor = torch.from_numpy(data)
        return tensor.view(torch.bfloat16) if kind == BFLOAT16 else tensor
    if tag == "a" and kind == BFLOAT16:
        raise WireError("numpy has no bfloat16")
    return data


# --- sending and receiving -------------------------------------------------------------------------

Idle = Callable[[], None]
MOST_AT_ONCE = 512  # parts; the kernel takes 1024


def _wait(sock: socket.socket, events: int, deadline: float, idle: Idle | None) -> None:
    """Wait until the socket is ready; `idle` is called at least every 50 ms in between."""
    poll = _poll()
    poll.register(sock, events)
    while True:
        left = deadline - _monotonic()
        if left <= 0:
            raise WireTimeout
        if poll.poll(min(left, 0.05 if idle else left) * 1000):
            return
        if idle:
            idle()


def send(
    sock: socket.socket,
    parts: list[bytes | memoryview],
    deadline: float,
    idle: Idle | None = None,
) -> None:
    """Write one frame to a non-blocking socket before the absolute (monotonic) deadline.

    In as few calls as can be, for the other end wakes up at each.
    """
    rest = [memoryview(part) for part in parts if len(part)]
    while rest:
        try:
            sent = sock.sendmsg(rest[:MOST_AT_ONCE], (), socket.MSG_NOSIGNAL)
        except BlockingIOError:
            _wait(sock, select.POLLOUT, deadline, idle)
            continue
        except OSError as error:
            raise WireClosed from error
        done = 0
        while done < len(rest) and sent >= len(rest[done]):
            sent -= len(rest[done])
            done += 1
        del rest[:done]
        if sent:
            rest[0] = rest[0][sent:]


def _exactly(sock: socket.socket, size: int, deadline: float, idle: Idle | None) -> bytearray:
    data = bytearray(size)
    view, have = memoryview(data), 0
    while have < size:
        try:
            count = sock.recv_into(view[have:])
        except BlockingIOError:
            _wait(sock, select.POLLIN, deadline, idle)
            continue
        except OSError as error:
            raise WireClosed from error
        if count == 0:
            raise WireClosed
        have += count
        if _monotonic() > deadline:
            raise WireTimeout
    return data


class Received:
    """A frame as it came, its sizes and its header tested."""

    def __init__(self, header: bytes, tree: Any, declared: Any, body: bytearray) -> None:
        self.header, self.body = header, body
        self._tree, self._declared = tree, declared

    def value(self) -> Any:
        """A fresh copy of what it carries.

        Raises:
            WireError: its tree is none.
        """
        return decode(self._tree, self._declared, self.body)

    def carries(self, value: Any) -> bool:
        """Whether a value has the very bytes that came."""
        try:
            frame = encode(value)
        except WireError:
            return False
        return frame[1] == self.header and b"".join(frame[2:]) == self.body


def receive_frame(
    sock: socket.socket, deadline: float, max_body: int, idle: Idle | None = None
) -> Received:
    """Read one frame from a non-blocking socket; nothing is allocated before its size was tested.

    Raises:
        WireTimeout, WireClosed, WireError
    """
    _wait(sock, select.POLLIN, deadline, idle)  # it is seldom there yet, and exceptions cost more
    header_size, body_size = PREAMBLE.unpack(_exactly(sock, PREAMBLE.size, deadline, idle))
    if header_size > MAX_HEADER_BYTES:
        raise WireError("a header is too large")
    if body_size > max_body:
        raise WireError(f"the answer is larger than the {max_body // 2**20} MiB that are allowed")
    header = bytes(_exactly(sock, header_size, deadline, idle))
    tree, declared = parse_header(header)
    if sum(size for _, _, size in declared) != body_size:
        raise WireError("a body is not as long as its header declares")
    return Received(header, tree, declared, _exactly(sock, body_size, deadline, idle))


def receive(sock: socket.socket, deadline: float, max_body: int, idle: Idle | None = None) -> Any:
    """What the next frame carries; raises as `receive_frame` does."""
    return receive_frame(sock, deadline, max_body, idle).value()
