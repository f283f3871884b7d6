"""How much memory a jail uses, summed from outside where the student's code cannot lie about it."""

from pathlib import Path

PROC = Path("/proc")


def descendants(pid: int) -> list[int]:
    """A process and all that came of it, as the kernel lists them now."""
    found, pending = [], [pid]
    while pending:
        current = pending.pop()
        found.append(current)
        try:
            for task in (PROC / str(current) / "task").iterdir():
                pending += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def private_bytes(pid: int) -> int:
    """RssAnon and RssShmem of one process; 0 when it is gone."""
    total = 0
    try:
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith(("RssAnon:", "RssShmem:")):
                total += int(line.split()[1]) * 1024
    except OSError:
        return 0
    return total


def jail_memory_bytes(builder_pid: int) -> int:
    """RssAnon and RssShmem of every process of a jail but its builder."""
    return sum(private_bytes(pid) for pid in descendants(builder_pid)[1:])
