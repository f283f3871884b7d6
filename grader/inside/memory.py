"""How much memory a jail uses, summed from outside where the student's code cannot lie about it.

Everything is read as bytes: a process chooses its own name, and /proc repeats it.
"""

import os

PAGE_LABELS = (b"RssAnon:", b"RssShmem:")
SHARE_LABELS = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")


def _read(path: str) -> bytes:
    """A file of /proc; empty when its process is gone or it may not be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def descendants(pid: int) -> list[int]:
    """A process and all that came of it, as the kernel lists them now."""
    found, pending = [], [pid]
    while pending:
        current = pending.pop()
        found.append(current)
        for thread in _threads(current):
            children = _read(f"/proc/{current}/task/{thread}/children")
            pending += [int(child) for child in children.split()]
    return found


def is_stopped(pid: int) -> bool:
    """Whether a signal has stopped a process."""
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[:1] == [b"T"]


def _sum(text: bytes, labels: tuple[bytes, ...]) -> int | None:
    """The labelled lines' kibibytes in bytes; None when there is no such line."""
    amounts = [int(line.split()[1]) for line in text.splitlines() if line.startswith(labels)]
    return sum(amounts) * 1024 if amounts else None


def private_bytes(pid: int) -> int:
    """RssAnon and RssShmem of one process; 0 when it is gone."""
    used = _sum(_read(f"/proc/{pid}/status"), PAGE_LABELS)
    if used is None:  # its first thread has ended, but others may live and hold all of its memory
        for thread in _threads(pid):
            used = _sum(_read(f"/proc/{pid}/task/{thread}/status"), PAGE_LABELS)
            if used is not None:
                break
    return used or 0


def shared_out_bytes(pid: int) -> int | None:
    """As `private_bytes`, but a page that n processes share counts 1/n. None: it may not be read.

    Slower, since the kernel walks every page, and an ordinary user may not ask it about a jail.
    """
    used = _sum(_read(f"/proc/{pid}/smaps_rollup"), SHARE_LABELS)
    if used is None:
        for thread in _threads(pid):
            used = _sum(_read(f"/proc/{pid}/task/{thread}/smaps_rollup"), SHARE_LABELS)
            if used is not None:
                break
    return used


def jail_memory_bytes(builder_pid: int) -> int:
    """RssAnon and RssShmem of every process of a jail but its builder: what forks share counts twice."""
    return sum(private_bytes(pid) for pid in descendants(builder_pid)[1:])


def jail_share_bytes(builder_pid: int, enough: int) -> int | None:
    """The jail's memory with shared pages counted once; None where the kernel does not tell us.

    It takes the kernel milliseconds for each process, so that the sum is left at `enough` bytes.
    """
    total = 0
    for pid in descendants(builder_pid)[1:]:
        share = shared_out_bytes(pid)
        if share is None:
            if private_bytes(pid) == 0:  # gone meanwhile, or a zombie
                continue
            return None
        total += share
        if total > enough:
            break
    return total


def is_restless(family: list[int]) -> bool:
    """Whether one of a jail's processes is stopped, or there are more than was asked for.

    Asked for are at most the builder, init, the notebook and two checks.
    """
    return len(family) > 5 or any(map(is_stopped, family))
