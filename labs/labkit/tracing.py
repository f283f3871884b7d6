"""Looking at one's own program: which operations ran, how large their results were, what is alive.

Hints, not evidence: this runs in the process that it looks at, where one line switches it off. What earns
points is counted outside, by services, by the switch between ranks, and by limits.
"""

import gc
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


def _tensors(value: Any) -> Iterable[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


class Tracer(TorchDispatchMode):
    """Every operator that torch runs inside `with Tracer() as tracer:`.

    Attributes:
        names: the operators in order, e.g. `aten.mm`.
        largest: elements in the largest tensor that any of them returned, and `largest_name` which.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.largest, self.largest_name = 0, ""
        self.rows_of_products: list[int] = []  # of every mm: how many rows its result has

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = str(func).rpartition(".")[0]
        self.names.append(name)
        for tensor in _tensors(result):
            if tensor.numel() > self.largest:
                self.largest, self.largest_name = tensor.numel(), name
            if name in ("aten.mm", "aten.addmm", "aten.bmm"):
                self.rows_of_products.append(tensor.shape[-2])
        return result

    @property
    def counts(self) -> Counter[str]:
        """How often each operator ran."""
        return Counter(self.names)


@dataclass(frozen=True, slots=True)
class Entry:
    """One communication operator: its name, the bytes that it was given, its place among all operators."""

    name: str
    bytes: int
    order: int


class Ledger(TorchDispatchMode):
    """Every operator of torch.distributed (`c10d.*`) inside `with Ledger() as ledger:`, in order.

    Attributes:
        entries: what was called, with the bytes of its largest argument.
        operators: how many operators of any kind ran.
    """

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.operators = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.operators += 1
        name = str(func).rpartition(".")[0]
        if name.startswith("c10d"):
            sizes = [t.numel() * t.element_size() for t in _tensors([args, kwargs or {}])]
            self.entries.append(Entry(name, max(sizes, default=0), self.operators))
        return func(*args, **(kwargs or {}))

    def ring_bytes(self, world: int) -> float:
        """Bytes that each rank sends in all, each collective counted as its ring algorithm."""
        factor = {"c10d.allreduce_": 2.0, "c10d.send": 0.0}
        share = (world - 1) / world
        total = 0.0
        for entry in self.entries:
            if entry.name in ("c10d.send", "c10d.recv_", "c10d.barrier"):
                total += entry.bytes if entry.name == "c10d.send" else 0
            else:
                total += factor.get(entry.name, 1.0) * share * entry.bytes
        return total


def census(device: str = "cpu") -> int:
    """Bytes of all tensors that are alive on a device, each storage counted once."""
    sizes: dict[int, int] = {}
    for thing in gc.get_objects():
        if issubclass(type(thing), torch.Tensor) and thing.device.type == device:
            storage = thing.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
    sizes.pop(0, None)
    return sum(sizes.values())
