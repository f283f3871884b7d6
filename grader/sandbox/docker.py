"""The Docker wall: zygotes and jails in a container without network, capabilities or writable root.

Theory of operation. A container runs the gate (grader/inside/gate.py), which listens on a unix socket in
a directory that the worker shares with it. Over a connection of its own each zygote gets orders exactly
as behind the local wall, descriptors included; inside, the same code builds the same jails, as an
ordinary user. So the container is a second wall around the first one: whoever climbs out of a jail is in
a world of libraries, with a system-call filter, and with nothing to reach.

The gate ends when the last worker that holds it has gone, however that came, and the engine removes the
container. Where a container is running already (another service of a compose file shares the directory),
GRADUS_WALL_SOCKET names its socket; then no engine is asked and the worker needs no right to ask one.
"""

import contextlib
import functools
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException, ImageNotFound
from docker.types import DeviceRequest

from grader.errors import WallError
from grader.images import content
from grader.inside import gate
from grader.sandbox.family import Family, RemoteFamily, VisibleFamily
from grader.sandbox.kinds import kind_of
from grader.sandbox.warm import WarmSandbox
from grader.sandbox.zygote import Zygote

PLACE = "/run/gradus"  # of the shared directory in the container
APPARMOR = "gradus-wall"
USER = 164_000  # in the container when the worker is root; else the worker's own
START_SECONDS = 60.0
ASK_SECONDS = 20.0  # an engine that does not answer
MEMORY_MIB = 8 * 1024  # of all jails of a container together with its zygotes
PROCESSES = 4096
STALE_SECONDS = 600.0

_NO_ENGINE = (
    "no Docker engine answers{where}: start it (`sudo systemctl start docker`), or let this user ask it "
    "(`sudo usermod -aG docker $USER`, then sign in again), or set DOCKER_HOST; {error}"
)


@contextlib.contextmanager
def _spoken() -> Any:
    """Whatever the engine complains about becomes a WallError."""
    try:
        yield
    except (DockerException, OSError) as error:  # requests' errors are OSErrors
        where = f" at {os.environ['DOCKER_HOST']}" if os.environ.get("DOCKER_HOST") else ""
        text = str(error)
        if APPARMOR in text:
            raise WallError(_load_apparmor()) from error
        if isinstance(error, docker.errors.APIError) and not isinstance(error, ImageNotFound):
            raise WallError(f"the Docker engine refused: {error.explanation or text}") from error
        raise WallError(_NO_ENGINE.format(where=where, error=text)) from error


def _load_apparmor() -> str:
    profile = content.FOLDER / f"apparmor-{APPARMOR}"
    return (
        f"this host has AppArmor, whose default profile for containers lets nobody mount, and the "
        f"profile {APPARMOR} is not loaded: sudo apparmor_parser -r -W {profile}"
    )


def _engine() -> docker.DockerClient:
    with _spoken():
        return docker.from_env(timeout=int(ASK_SECONDS))


def require_docker(image: str = "cpu") -> None:
    """Raises:
    WallError: no engine answers, or it has no image that fits this code; with the remedy.
    """
    engine = _engine()
    try:
        with _spoken():
            engine.ping()
        _require_image(engine, image)
    finally:
        engine.close()


def _require_image(engine: docker.DockerClient, image: str) -> str:
    """The name of the image that fits this code."""
    tag = content.tag(image)
    with _spoken():
        try:
            engine.images.get(tag)
        except ImageNotFound:
            name = f"{content.PREFIX}-{image}"
            others = engine.images.list(name=name)
            why = "is older than this code" if others else "is missing"
            more = "" if image == "cpu" else f" ARGS={image}"
            raise WallError(f"the image {name} {why}: run `make images{more}`") from None
    return tag


class Container:
    """One container of the wall, as long as somebody holds it."""

    def __init__(self, image: str) -> None:
        self.image = image
        self.folder = _shared_folder()
        self.socket = self.folder / gate.SOCKET
        self.said: deque[str] = deque(maxlen=30)
        self._engine = _engine()
        self._holder: socket.socket | None = None
        self._owner = os.getpid()
        self.id = ""
        try:
            self._start()
            self._hold()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        api = self._engine.api
        tag = _require_image(self._engine, self.image)
        with _spoken():
            made = api.create_container_from_config(
                {
                    "Image": tag,
                    "User": _user(),
                    "Hostname": "wall",
                    "NetworkDisabled": True,
                    "Labels": {"gradus.wall": f"{socket.gethostname()}/{os.getpid()}"},
                    "HostConfig": self._host_config(),
                },
                name=f"gradus-wall-{secrets.token_hex(6)}",
            )
            self.id = made["Id"]
            output = api.attach(self.id, stdout=True, stderr=True, stream=True, logs=False)
            threading.Thread(
                target=_pass_on, args=(output, self.said), name="wall's output", daemon=True
            ).start()
            api.start(self.id)

    def _host_config(self) -> dict[str, Any]:
        """The walls of the container. Empty lists of masked paths: a jail's own /proc needs them."""
        security = ["no-new-privileges:true", f"seccomp={_seccomp()}"]
        with _spoken():
            if any("name=apparmor" in each for each in self._engine.info()["SecurityOptions"]):
                security.append(f"apparmor={APPARMOR}")
        config: dict[str, Any] = self._engine.api.create_host_config(
            auto_remove=True,
            binds={str(self.folder): {"bind": PLACE, "mode": "rw"}},
            cap_drop=["ALL"],
            ipc_mode="private",
            log_config=docker.types.LogConfig(type="none"),
            mem_limit=f"{MEMORY_MIB}m",
            memswap_limit=f"{MEMORY_MIB}m",
            network_mode="none",
            nano_cpus=len(os.sched_getaffinity(0)) * 10**9,
            pids_limit=PROCESSES,
            read_only=True,
            security_opt=security,
            tmpfs={"/tmp": "size=16m,mode=1777,noexec,nosuid,nodev"},  # noqa: S108
            device_requests=(
                [DeviceRequest(count=-1, capabilities=[["gpu"]])] if self.image == "gpu" else None
            ),
        )
        return {**config, "MaskedPaths": [], "ReadonlyPaths": []}

    def _hold(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._holder = hold(self.socket)
            except OSError as error:
                if time.monotonic() > deadline or not self._runs():
                    said = " ".join(self.said) or str(error)
                    raise WallError(f"the wall's container did not come up: {said}") from error
                time.sleep(0.02)
            else:
                return

    def _runs(self) -> bool:
        with contextlib.suppress(DockerException, OSError):
            return bool(self._engine.api.inspect_container(self.id)["State"]["Running"])
        return False

    def close(self) -> None:
        """Let go of it; the process that made it also sees it removed."""
        if self._holder is not None:
            self._holder.close()
        if os.getpid() == self._owner:
            with contextlib.suppress(DockerException, OSError):
                if self.id:
                    self._engine.api.remove_container(self.id, force=True)
            shutil.rmtree(self.folder, ignore_errors=True)
        self._engine.close()


class RunningContainer:
    """One that somebody else has started and keeps: its gate is told to stay."""

    def __init__(self, path: Path) -> None:
        self.socket = path
        try:
            self._holder = hold(path)
        except OSError as error:
            raise WallError(
                f"no wall answers at {path}, which GRADUS_WALL_SOCKET names: start its container "
                f"(`docker compose up -d wall`); {error}"
            ) from error

    def close(self) -> None:
        self._holder.close()


def hold(path: Path) -> socket.socket:
    """A connection that keeps a gate open. OSError: there is none.

    Raises:
        WallError: what is behind it is of another version than this code.
    """
    holder = connect(path)
    holder.settimeout(ASK_SECONDS)
    holder.send(json.dumps({"op": "hold"}).encode())
    told = json.loads(holder.recv(4096) or b"{}").get("content", "")
    if told not in {content.content_hash(image) for image in content.IMAGES}:
        holder.close()
        raise WallError("the wall's image is older than this code: run `make images`")
    return holder


def connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


class DockerSandbox(WarmSandbox):
    """Zygotes in containers: one container for each image that is needed."""

    wall = "docker"

    def __init__(self, zygotes: tuple[str, ...] = ("numpy",)) -> None:
        self._containers: dict[str, Container | RunningContainer] = {}
        super().__init__(zygotes)

    def _container(self, image: str) -> Container | RunningContainer:
        if image not in self._containers:
            running = os.environ.get("GRADUS_WALL_SOCKET")
            self._containers[image] = (
                RunningContainer(Path(running)) if running else Container(image)
            )
        return self._containers[image]

    def _start(self, name: str) -> Zygote:
        kind = kind_of(name)
        container = self._container(content.image_of(name))
        try:
            control = connect(container.socket)
        except OSError:  # it was removed under our feet: another one, once
            container.close()
            del self._containers[content.image_of(name)]
            container = self._container(content.image_of(name))
            control = connect(container.socket)
        hello: dict[str, Any] = {"op": "zygote", "zygote": name}
        hello |= {"arguments": kind.arguments, "environment": kind.environment}
        control.send(json.dumps(hello).encode())
        return Zygote(kind, control, adopt=functools.partial(_adopt, container.socket))

    def close(self) -> None:
        super().close()
        for container in self._containers.values():
            container.close()
        self._containers.clear()


def _adopt(path: Path, pidfd: int) -> Family:
    """Seen from here, where this process looks into the container's pid namespace; else by the gate."""
    pid = gate.head_of(pidfd)
    if pid:
        return VisibleFamily(pidfd, pid)
    return RemoteFamily(pidfd, connect(path))


def _user() -> str:
    """An id without any right on the host; an ordinary worker's own, which may kill what it owns."""
    uid, gid = os.geteuid(), os.getegid()
    return f"{USER}:{USER}" if uid == 0 else f"{uid}:{gid}"


def _seccomp() -> str:
    return json.dumps(json.loads((content.FOLDER / "seccomp.json").read_text()))


def _shared_folder() -> Path:
    """A new directory for the socket, that nobody but the worker and the gate may enter."""
    _remove_stale_folders()
    folder = Path(tempfile.mkdtemp(prefix="gradus-wall-"))
    if os.geteuid() == 0:
        os.chown(folder, USER, USER)
    return folder


def _remove_stale_folders() -> None:
    """Those of workers that were killed: nobody answers in them."""
    for folder in Path(tempfile.gettempdir()).glob("gradus-wall-*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime < STALE_SECONDS:
                continue
            try:
                connect(folder / gate.SOCKET).close()
            except OSError:
                shutil.rmtree(folder, ignore_errors=True)


def _pass_on(output: Any, said: deque[str]) -> None:
    """What the gate and its zygotes complain about appears where a local zygote's would."""
    with contextlib.suppress(Exception):
        for piece in output:
            text = piece.decode("utf-8", "replace")
            said.append(text.strip())
            sys.stderr.write(text)
