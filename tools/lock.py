"""One `make run` in a checkout at a time, by a lock that the kernel releases whatever happens."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path


class BusyError(Exception):
    """Somebody else holds the lock; `holder` is what they wrote about themselves."""

    def __init__(self, holder: dict[str, str]) -> None:
        super().__init__("busy")
        self.holder = holder


class Lock:
    """A held lock. The file's content is only information; who holds it is up to the kernel."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def describe(self, **facts: str) -> None:
        """Tell those who find the lock taken who has it."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps({"pid": str(os.getpid()), **facts}).encode(), 0)


@contextlib.contextmanager
def locked(path: Path, wait: bool = False) -> Iterator[Lock]:
    """Hold the lock of this path; BusyError if another process does. The file is removed at the end."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            # Whoever held it may have removed the file while we waited: then this lock is of
            # a file that nobody else will ever find.
            if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
                break
            os.close(descriptor)
        except BlockingIOError:
            holder = os.read(descriptor, 4096)
            os.close(descriptor)
            raise BusyError(json.loads(holder) if holder else {}) from None
        except BaseException:
            os.close(descriptor)
            raise
    lock = Lock(path, descriptor)
    lock.describe()
    try:
        yield lock
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)
