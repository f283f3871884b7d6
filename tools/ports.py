"""The site's listening socket, and who has the port when we cannot have it."""

import contextlib
import errno
import shutil
import socket
import subprocess
from pathlib import Path


class PortTakenError(Exception):
    """The text names the port, its holder where that can be found, and how to choose another."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Made here and handed to the web server, so nobody can take the port from
    us between restarts, and requests that arrive during a restart wait instead of being refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by what is accepted: the web server is given a descriptor and cannot tell TCP.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(
                f"Port {port} on {host} is already taken{_by_whom(port)}.\n"
                f"  Choose another:  make run PORT={port + 1 if port < 65535 else 8000}"
            ) from None
        raise PortTakenError(
            f"Cannot listen on {host} port {port}: {error.strerror}.\n"
            "  Choose another:  make run HOST=127.0.0.1 PORT=8001"
        ) from None
    return listener


def _by_whom(port: int) -> str:
    pid = _holder(port)
    if pid is None:
        return ""
    name = f"process {pid}"
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        name += f" ({command.decode(errors='replace').strip()[:100]})"
    return f" by {name}"


def _holder(port: int) -> int | None:
    """The process that listens on the port, as far as this user may see."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for row in Path(table).read_text().splitlines()[1:]:
                fields = row.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    if inodes:
        for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()) in inodes:
                    return int(descriptor.parts[2])
    elif shutil.which("lsof"):
        lsof = ["lsof", "-nP", "-t", f"-iTCP:{port}", "-sTCP:LISTEN"]
        found = subprocess.run(lsof, capture_output=True, text=True, check=False).stdout.split()
        return int(found[0]) if found else None
    return None
