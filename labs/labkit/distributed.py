"""The names of `Comm` over torch.distributed: gloo between processes, nccl between GPUs.

    torchrun --nproc-per-node 4 my_program.py

    comm = labkit.DistributedComm()        # joins the group that torchrun describes
    total = comm.all_reduce(gradient)

Values are tensors, and results are new tensors, as everywhere in labkit.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.distributed as dist

from .comm import Comm, CommError, Work

_DTYPES = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
)
_HEAD = 10  # dtype, number of axes, up to 8 sizes
_OPS = {
    "sum": dist.ReduceOp.SUM,
    "max": dist.ReduceOp.MAX,
    "min": dist.ReduceOp.MIN,
    "prod": dist.ReduceOp.PRODUCT,
}


class _Later(Work):
    """Something of torch.distributed under way."""

    def __init__(self, finish: Callable[[], Any]) -> None:
        self._finish, self._done, self._value = finish, False, None

    def wait(self) -> Any:
        if not self._done:
            self._value, self._done = self._finish(), True
        return self._value


class DistributedComm(Comm):
    """One rank of a torch.distributed process group; made if there is none yet."""

    def __init__(self, backend: str | None = None) -> None:
        if not dist.is_initialized():
            dist.init_process_group(backend)
        self.device = torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
        self.rank, self.world = dist.get_rank(), dist.get_world_size()

    def _tensor(self, value: Any) -> torch.Tensor:
        if not isinstance(value, torch.Tensor):
            raise CommError(f"torch.distributed carries tensors, not {type(value).__name__}")
        return value.detach().to(self.device).contiguous()

    def isend(self, value: Any, dest: int, tag: int = 0) -> Work:
        self._other(dest)
        tensor = self._tensor(value).clone()
        works = [dist.isend(self._head(tensor), dest, tag=tag), dist.isend(tensor, dest, tag=tag)]

        def finish() -> None:
            for work in works:
                if work is not None:
                    work.wait()

        return _Later(finish)

    def irecv(self, source: int, tag: int = 0) -> Work:
        self._other(source)

        def finish() -> torch.Tensor:
            head = torch.zeros(_HEAD, dtype=torch.int64, device=self.device)
            dist.recv(head, source, tag=tag)
            kind, axes, *sizes = head.tolist()
            value = torch.empty(sizes[:axes], dtype=_DTYPES[kind], device=self.device)
            dist.recv(value, source, tag=tag)
            return value

        return _Later(finish)

    def _head(self, tensor: torch.Tensor) -> torch.Tensor:
        sizes = [*tensor.shape, *[0] * (_HEAD - 2 - tensor.dim())]
        head = [_DTYPES.index(tensor.dtype), tensor.dim(), *sizes]
        return torch.tensor(head, dtype=torch.int64, device=self.device)

    def barrier(self) -> None:
        dist.barrier()

    def broadcast(self, value: Any, root: int = 0, async_op: bool = False) -> Any:
        self._known(root)
        held: list[Any] = [value if self.rank == root else None]
        dist.broadcast_object_list(held, src=root)
        return self._maybe(lambda: held[0], async_op)

    def all_reduce(self, value: Any, op: str = "sum", async_op: bool = False) -> Any:
        total = self._tensor(value).clone()
        kind = _OPS["sum" if self._op(op) == "avg" else op]
        work = dist.all_reduce(total, kind, async_op=True)

        def finish() -> torch.Tensor:
            work.wait()
            return total / self.world if op == "avg" else total

        return self._maybe(finish, async_op)

    def all_gather(self, value: Any, async_op: bool = False) -> Any:
        own = self._tensor(value)
        found = [torch.empty_like(own) for _ in range(self.world)]
        work = dist.all_gather(found, own, async_op=True)

        def finish() -> list[torch.Tensor]:
            work.wait()
            return found

        return self._maybe(finish, async_op)

    def reduce_scatter(self, value: Any, op: str = "sum", async_op: bool = False) -> Any:
        parts = self._parts(value)
        whole = self.all_reduce(torch.stack([self._tensor(part) for part in parts]), op)
        return self._maybe(whole[self.rank].clone, async_op)

    def all_to_all(self, parts: Sequence[Any], async_op: bool = False) -> Any:
        mine = self._parts(parts)
        works = [self.isend(mine[r], r) for r in range(self.world) if r != self.rank]

        def finish() -> list[Any]:
            got = [mine[r] if r == self.rank else self.recv(r) for r in range(self.world)]
            for work in works:
                work.wait()
            return got

        return self._maybe(finish, async_op)

    def scatter(self, parts: Any = None, root: int = 0, async_op: bool = False) -> Any:
        self._known(root)
        if self.rank != root:
            return self._maybe(lambda: self.recv(root), async_op)
        mine = self._parts(parts)
        works = [self.isend(mine[r], r) for r in range(self.world) if r != root]

        def finish() -> Any:
            for work in works:
                work.wait()
            return mine[root]

        return self._maybe(finish, async_op)

    def gather(self, value: Any, root: int = 0, async_op: bool = False) -> Any:
        found = self.all_gather(value)
        return self._maybe(lambda: found if self.rank == root else None, async_op)

    def mark(self, text: str) -> None:
        """Nothing is recorded here."""

    @staticmethod
    def _maybe(finish: Callable[[], Any], async_op: bool) -> Any:
        work = _Later(finish)
        return work if async_op else work.wait()
