"""Pid 1 of a wall's container: starts zygotes for workers, and watches jails that workers cannot see.

Theory of operation. A worker cannot fork across a container's wall, but it can connect to a socket in a
directory that both sides mount. The first message of a connection says what the connection is for:

    hold     nothing more is said. When the last holder is gone, the gate ends and the container with it
    zygote   the connection becomes the control socket of a zygote that is exec'd for it: of the kind,
             with the arguments and the environment, all public constants, that the message carries
    watch    a pidfd comes along. Each further message asks about that process and its descendants, or
             ends it; it is ended when the connection closes. For a worker in a container of its own, which
             sees no process of this one

The gate is trusted, but it holds nothing: no jail has a way to it, for its socket is a file that no
jail's root contains, and whoever is not root or the gate's own user is turned away. No message carries
anything of a submission.

    python3 -I -B gate.py DIRECTORY [--stay]
"""

import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

_SOURCE_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, _SOURCE_ROOT)
from grader.inside import memory  # noqa: E402

sys.path.remove(_SOURCE_ROOT)

SOCKET = "wall.sock"
ENVIRONMENTS = "/opt/zygotes"
LABKIT = os.path.join(_SOURCE_ROOT, "labs", "labkit")
CONTENT = os.path.join(_SOURCE_ROOT, "content-hash")
ZYGOTE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "zygote.py")
FIRST_HOLDER_SECONDS = 60.0
MAX_HELLO = 16_384
LOOK, SHARE, END = b"?", b"S", b"K"
QUESTION = struct.Struct(">cq")  # and how many bytes of shared memory are enough to know
# Memory of the descendants (-1: the kernel does not tell), how many processes there are, and whether
# that is more than was asked for.
SIGHT = struct.Struct(">qi?")


def head_of(pidfd: int) -> int:
    """The pid behind a pidfd, as this process sees it; 0 when it is gone or in no namespace of ours."""
    with open(f"/proc/self/fdinfo/{pidfd}") as file:
        for line in file:
            if line.startswith("Pid:"):
                return max(0, int(line.split()[1]))
    return 0


def sight_of(pid: int, question: bytes, enough: int) -> bytes:
    """What is to be told of a process and its descendants."""
    if not pid:
        return SIGHT.pack(0, 0, False)
    family = memory.descendants(pid)
    if question == SHARE:
        share = memory.jail_share_bytes(pid, enough)
        used = -1 if share is None else share
    else:
        used = memory.jail_memory_bytes(pid)
    return SIGHT.pack(used, len(family), memory.is_restless(family))


class Gate:
    """The loop: connections, their purpose, and children to be reaped."""

    def __init__(self, directory: str, stays: bool) -> None:
        self.stays = stays
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = os.path.join(directory, SOCKET)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # of a container that was killed before this one
        self.listening.bind(path)
        os.chmod(path, 0o600)
        self.listening.listen(64)
        self.poll = select.poll()
        self.poll.register(self.listening, select.POLLIN)
        self.strangers: dict[int, socket.socket] = {}  # connections that have not said anything yet
        self.holders: dict[int, socket.socket] = {}
        self.watched: dict[int, tuple[socket.socket, int]] = {}  # with the pidfd
        self.held_since = 0.0

    def serve(self) -> None:
        """Until nobody holds us any more."""
        began = time.monotonic()
        while True:
            for descriptor, _ in self.poll.poll(1000):
                if descriptor == self.listening.fileno():
                    self.accept()
                elif descriptor in self.strangers:
                    self.hear_stranger(self.strangers.pop(descriptor))
                elif descriptor in self.watched:
                    self.answer(descriptor)
                elif descriptor in self.holders:  # a holder says nothing: it has gone
                    self.forget(self.holders.pop(descriptor))
            self.reap()
            waited = time.monotonic() - began
            forgotten = not self.holders and (self.held_since or waited > FIRST_HOLDER_SECONDS)
            if forgotten and not self.stays:
                return

    def accept(self) -> None:
        connection, _ = self.listening.accept()
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        _, uid, _ = struct.unpack("3i", peer)
        if uid not in (0, os.getuid()):
            connection.close()
            return
        connection.setblocking(False)
        self.strangers[connection.fileno()] = connection
        self.poll.register(connection, select.POLLIN)

    def hear_stranger(self, connection: socket.socket) -> None:
        """The message that says what a connection is for."""
        descriptors: list[int] = []
        try:
            data, descriptors, _, _ = socket.recv_fds(connection, MAX_HELLO, 1)
            hello = json.loads(data) if data else {}
            if hello.get("op") == "hold":
                self.holders[connection.fileno()] = connection
                self.held_since = self.held_since or time.monotonic()
                connection.send(json.dumps({"content": content_hash()}).encode())
                return
            if hello.get("op") == "watch" and len(descriptors) == 1:
                self.watched[connection.fileno()] = (connection, descriptors.pop())
                return
            if hello.get("op") == "zygote":
                start_zygote(connection, hello)
        except (OSError, ValueError, KeyError, TypeError) as error:
            print(f"gate: {error}", file=sys.stderr, flush=True)
        for descriptor in descriptors:
            os.close(descriptor)
        self.forget(connection)

    def answer(self, descriptor: int) -> None:
        """One question of a watcher, or its end and that of what it watched."""
        connection, pidfd = self.watched[descriptor]
        asked = b""
        with contextlib.suppress(OSError, struct.error):
            asked, enough = QUESTION.unpack(connection.recv(QUESTION.size))
            if asked in (LOOK, SHARE):
                connection.send(sight_of(head_of(pidfd), asked, enough))
                return
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        if asked != END:
            os.close(pidfd)
            del self.watched[descriptor]
            self.forget(connection)

    def forget(self, connection: socket.socket) -> None:
        with contextlib.suppress(KeyError):
            self.poll.unregister(connection)
        connection.close()

    @staticmethod
    def reap() -> None:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0] != 0:
                pass


def start_zygote(connection: socket.socket, hello: dict[str, object]) -> None:
    """Exec a zygote whose control socket is this connection."""
    kind = str(hello["zygote"])
    python = f"{ENVIRONMENTS}/{kind}/bin/python"
    if "/" in kind or not os.path.exists(python):
        raise ValueError(f"this image has no {kind} zygote; it has {', '.join(kinds())}")
    arguments, environment = hello["arguments"], hello["environment"]
    if not isinstance(arguments, list) or not isinstance(environment, dict):
        raise TypeError("arguments and environment are a list and an object")
    connection.setblocking(True)
    subprocess.Popen(
        [python, "-s", "-P", "-B", ZYGOTE, str(connection.fileno()), LABKIT, *arguments],
        env=environment,
        pass_fds=[connection.fileno()],
        stdin=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def kinds() -> list[str]:
    """The zygotes that this image has an environment for."""
    return sorted(os.listdir(ENVIRONMENTS))


def content_hash() -> str:
    """What the image was made of, as `grader.images.content` counts it."""
    with contextlib.suppress(OSError), open(CONTENT) as file:
        return file.read().strip()
    return ""


def main(arguments: list[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))  # pid 1 has no default handlers
    Gate(arguments[0], stays="--stay" in arguments[1:]).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
