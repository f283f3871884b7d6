"""Runs one command and sees to it that nothing of it outlives its end, or the end of who asked for it.

Every service of `make run` runs below a guard of its own. The guard's standard input is a lifeline:
when it closes, because the supervisor stopped or was killed, even with SIGKILL, the guard asks the
command to stop, waits `--grace` seconds and then kills it with all of its descendants. The same
happens on SIGTERM; a second SIGTERM does not wait. When the command ends by itself, what it left
behind is killed too, and the guard exits as the command did (128 + number for a signal).
"""

import argparse
import contextlib
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tools.family import adopt_orphans, die_with_parent, kill_descendants, reap


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--grace", type=float, default=10.0, help="seconds to stop by itself")
    parser.add_argument("--keep-descriptor", type=int, action="append", default=[])
    parser.add_argument("--user", help="whom the command runs as; needs root")
    parser.add_argument("--remove", type=Path, action="append", default=[], help="when it ends")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    command = options.command[options.command[0] == "--" :]

    adopt_orphans()
    wake, wake_writer = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(wake_writer, False)
    signal.set_wakeup_fd(wake_writer)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    try:
        status = _watch(command, options, wake)
    finally:
        kill_descendants()
        for path in options.remove:
            _remove(path)
    return status


def _watch(command: list[str], options: argparse.Namespace, wake: int) -> int:
    keep, grace, user = options.keep_descriptor, options.grace, options.user
    try:
        # A session of its own: Ctrl-C in the terminal is for the supervisor, which stops the
        # services in order.
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            pass_fds=keep,
            start_new_session=True,
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
            preexec_fn=lambda: die_with_parent(signal.SIGKILL),  # noqa: PLW1509  one thread here
        )
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", flush=True)
        return 127
    for descriptor in keep:
        os.close(descriptor)
    watched = [wake, sys.stdin.fileno()]
    deadline: float | None = None
    while True:
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        readable = select.select(watched, [], [], timeout)[0]
        status = reap().get(child.pid)
        if status is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)  # all we can do where there is no subreaper
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        asked = 0
        if wake in readable:
            asked += sum(byte != signal.SIGCHLD for byte in os.read(wake, 4096))
        if sys.stdin.fileno() in readable and not os.read(sys.stdin.fileno(), 4096):
            watched.remove(sys.stdin.fileno())
            asked += 1
        if asked and deadline is None:
            os.kill(child.pid, signal.SIGTERM)  # not terminate(): it would reap behind our back
            deadline = time.monotonic() + grace
        elif asked or (deadline is not None and time.monotonic() >= deadline):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            kill_descendants()
            return 128 + signal.SIGKILL


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
