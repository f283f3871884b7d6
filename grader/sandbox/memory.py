"""How much memory a jail uses; counted on whichever side of a wall its processes can be seen from."""

from grader.inside.memory import (
    descendants,
    is_stopped,
    jail_memory_bytes,
    jail_share_bytes,
    private_bytes,
    shared_out_bytes,
)

__all__ = [
    "descendants",
    "is_stopped",
    "jail_memory_bytes",
    "jail_share_bytes",
    "private_bytes",
    "shared_out_bytes",
]
