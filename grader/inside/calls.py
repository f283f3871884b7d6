"""How a check's body reaches the trusted side while it runs: calls of services, posts to the network.

Both go over the check's own channel, before its answer. Like everything in a jail this can only harm the
check that it belongs to: the other end believes nothing that it reads here.
"""

import socket
import sys
import threading
import time
from typing import Any

import numpy as np

from grader.inside import wire

PATIENCE_SECONDS = 600.0
MAX_REPLY = 2**28


class Line:
    """One conversation at a time with whoever asked the check."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.lock = threading.RLock()

    def say(self, value: Any) -> None:
        with self.lock:
            wire.send(self.channel, wire.encode(value), time.monotonic() + PATIENCE_SECONDS)

    def ask(self, value: Any) -> Any:
        with self.lock:
            self.say(value)
            return wire.receive(self.channel, time.monotonic() + PATIENCE_SECONDS, MAX_REPLY)

    def call(self, service: str, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """What a service answers; its refusal is a ServiceError."""
        reply = self.ask({"call": [service, method, args, kwargs]})
        if "refused" in reply:
            raise sys.modules["labkit"].ServiceError(reply["refused"])
        return reply["value"]


class SwitchTransport:
    """The network as a rank in a jail sees it: what it posts goes to the referee's switch."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def post(self, number: int, operation: dict[str, Any]) -> None:
        self.line.say({"post": number, "operation": operation})

    def wait(self, number: int) -> Any:
        reply = self.line.ask({"wait": number})
        if "refused" in reply:
            raise sys.modules["labkit"].CommError(reply["refused"])
        return reply["done"]


def helpers(line: Line, setting: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """What the body gets besides `lab` and its inputs: the communicator, proxies of services."""
    labkit = sys.modules["labkit"]
    ranks = setting.get("ranks")
    first = []
    if ranks is not None:
        rank, world, collectives = ranks
        transport = SwitchTransport(line)
        first.append(labkit.Comm(rank, world, transport, collectives=collectives))
    proxies = {
        name: labkit.Proxy(name, told["methods"], told["constants"], line.call)
        for name, told in setting.get("services", {}).items()
    }
    return first, proxies


def aliased(outputs: Any, inputs: dict[str, Any]) -> list[str]:
    """The inputs whose memory an output shares."""
    arrays = [array for array in _arrays(outputs) if array.size]
    return [
        name
        for name, value in inputs.items()
        if any(np.may_share_memory(mine, its) for its in _arrays(value) for mine in arrays)
    ]


def _arrays(value: Any) -> list[np.ndarray[Any, Any]]:
    """Every array in a value; of a tensor, one that covers its storage."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [array for item in value for array in _arrays(item)]
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor) and value.device.type == "cpu":
        storage = value.detach().untyped_storage()
        return [torch.empty(0, dtype=torch.uint8).set_(storage).numpy()]
    return []
