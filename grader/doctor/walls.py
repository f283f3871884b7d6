"""Builds a jail behind every wall that could work here, and warms up every kind of zygote."""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from grader.doctor import inside
from grader.doctor.host import Host, ok, problem, warning
from grader.doctor.report import Finding
from grader.errors import GraderError
from grader.protocol import Limits
from grader.sandbox import WALLS
from grader.sandbox.kinds import KINDS, gpu_devices, python_of

GROUP, ZYGOTES = "Walls", "Zygotes"
JAILS = 5  # built to say how long one takes
REMEDIES = {
    "local": "see Kernel above; in a container, grading needs the Docker wall or a privileged container",
    "bubblewrap": "apt install bubblewrap, and start the worker as an ordinary user",
    "docker": "install Docker Engine, add this user to the group docker, then: make images",
}


def examine(host: Host) -> tuple[tuple[str, ...], list[Finding]]:
    """The walls behind which a jail was built, best first, and what was found on the way."""
    works: list[str] = []
    troubles: dict[str, str] = {}
    findings: list[Finding] = []
    facts: list[Finding] = []
    for wall in (name for name in WALLS if name != "none"):
        try:
            text, seen = _try(wall)
        except (GraderError, OSError, ValueError) as error:
            troubles[wall] = str(error) or type(error).__name__
            continue
        works.append(wall)
        findings.append(ok(GROUP, wall, text))
        facts = facts or inside.judge(seen, wall)
    for wall, trouble in troubles.items():
        findings.append(_trouble(wall, trouble, works))
    findings += [*_chosen(host, works), *_tools(host, works)]
    return tuple(works), findings + facts


def _try(wall: str) -> tuple[str, dict[str, object]]:
    sandbox = WALLS[wall](("numpy",))
    try:
        sandbox.open_jail("numpy", Limits()).close()
        seconds = []
        for _ in range(JAILS):
            began = time.perf_counter()
            jail = sandbox.open_jail("numpy", Limits())
            seconds.append(time.perf_counter() - began)
            jail.close()
        facts = inside.look(sandbox, "numpy")
    finally:
        sandbox.close()
    return f"a jail stands in {sorted(seconds)[JAILS // 2] * 1000:.0f} ms", facts


def _trouble(wall: str, trouble: str, works: list[str]) -> Finding:
    """A wall that cannot be built matters only where no other can."""
    text = f"cannot be built: {trouble}"
    judge = warning if works else problem
    return judge(GROUP, wall, text, REMEDIES.get(wall, "see the message"))


def _chosen(host: Host, works: list[str]) -> list[Finding]:
    wanted = host.environment.get("GRADUS_WALL", "")
    asked = host.environment.get("GRADUS_UNSAFE_NO_SANDBOX", "")
    found = []
    if wanted and wanted not in works:
        known = ", ".join(works) or "none"
        found.append(
            problem(
                GROUP, "choice", f"GRADUS_WALL={wanted} cannot be had here", f"there is: {known}"
            )
        )
    if asked == "1" or wanted == "none":
        found.append(
            warning(
                GROUP,
                "no wall",
                "GRADUS_UNSAFE_NO_SANDBOX=1: what students wrote runs as this user, unconfined",
                "unset it; a site in production refuses such a worker",
            )
        )
    elif works and not wanted:
        found.append(
            ok(GROUP, "choice", f"{works[0]}, the best of them (GRADUS_WALL names another)")
        )
    return found


def _tools(host: Host, works: list[str]) -> list[Finding]:
    """What a wall that cannot be built may be missing."""
    tools = {"bubblewrap": _bubblewrap, "docker": _docker}
    return [look(host) for wall, look in tools.items() if wall not in works]


def _bubblewrap(host: Host) -> Finding:
    path = shutil.which("bwrap", path=host.environment.get("PATH", os.defpath))
    if path is None:
        remedy = "apt install bubblewrap, where that wall is wanted"
        return warning(GROUP, "bwrap", "not on PATH", remedy)
    done = subprocess.run(
        [path, "--version"], capture_output=True, text=True, timeout=5, check=False
    )
    setuid = ", set-uid" if os.stat(path).st_mode & 0o4000 else ""
    return ok(GROUP, "bwrap", f"{done.stdout.strip() or path}{setuid}")


def _docker(host: Host) -> Finding:
    """Whether an engine answers; whether its images are right is shown by the wall itself."""
    address = host.environment.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    remedy = (
        "start Docker (systemctl start docker), or set DOCKER_HOST; only the Docker wall needs it"
    )
    try:
        answer = _ping(address)
    except (OSError, ValueError) as error:
        return warning(GROUP, "docker engine", f"{address} does not answer: {error}", remedy)
    if " 200 " not in answer.splitlines()[0]:
        return warning(GROUP, "docker engine", f"{address} refused: {answer[:80]!r}", remedy)
    return ok(GROUP, "docker engine", f"answers at {address}")


def _ping(address: str) -> str:
    """What GET /_ping gives.

    Raises:
        OSError: nobody answers in time.
        ValueError: the address is of no kind that can be asked.
    """
    scheme, _, rest = address.partition("://")
    if scheme == "unix":
        link = socket.socket(socket.AF_UNIX)
        place: str | tuple[str, int] = rest
    elif scheme in ("tcp", "http"):
        name, _, port = rest.rpartition(":")
        link, place = socket.socket(), (name, int(port))
    else:
        raise ValueError(f"only unix:// and tcp:// are asked, not {scheme}://")
    with link:
        link.settimeout(3)
        link.connect(place)
        link.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
        return link.recv(1024).decode("latin-1") or "no answer"


# --- zygotes ----------------------------------------------------------------------------------------

ASK = """
import importlib.util, json, sys
told = {"python": sys.version.split()[0]}
for name in sys.argv[1:]:
    if importlib.util.find_spec(name) is None:
        told[name] = None
        continue
    module = __import__(name)
    told[name] = getattr(module, "__version__", "?")
if told.get("torch"):
    told["gpus"] = sys.modules["torch"].cuda.device_count()
print(json.dumps(told))
"""


def examine_zygotes(host: Host) -> list[Finding]:
    return [finding for name in KINDS for finding in _zygote(name)]


def _zygote(name: str) -> list[Finding]:
    """One kind: its environment, in a process that is thrown away."""
    matters = problem if name == "numpy" else warning
    if KINDS[name].gpu and not gpu_devices():
        return [ok(ZYGOTES, name, "no GPU here; labs that need one are graded on other hosts")]
    try:
        python = python_of(name)
    except GraderError as error:
        return [matters(ZYGOTES, name, str(error), "make run, or make test, creates it")]
    wanted = ("numpy", "IPython", "torch", "triton")
    try:
        done = subprocess.run(
            [str(python), "-s", "-P", "-B", "-c", ASK, *wanted],
            env=KINDS[name].environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        told = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        return [
            matters(ZYGOTES, name, f"{python} does not run: {error}", "make clean, then make run")
        ]
    return _environment(name, python, told, done.stderr)


def _environment(
    name: str, python: Path, told: dict[str, str | int | None], said: str
) -> list[Finding]:
    matters = problem if name == "numpy" else warning
    needed = ("numpy", "IPython") if name == "numpy" else ("numpy", "IPython", "torch")
    missing = [module for module in needed if not told.get(module)]
    if missing:
        last = said.strip().splitlines()[-1:] or ["not installed"]
        text = f"{', '.join(missing)} cannot be imported by {python}: {last[0][:200]}"
        return [matters(ZYGOTES, name, text, "make clean, then make run")]
    versions = [f"{key} {value}" for key, value in told.items() if value and key != "gpus"]
    text = ", ".join(versions)
    if name == "numpy" and told.get("torch"):
        remedy = f"take it out of {python.parents[1]}: it is forbidden by absence"
        return [warning(ZYGOTES, name, f"{text}: torch is there", remedy)]
    if name == "torch" and not told.get("triton"):
        remedy = "labs with kernels need it: make run installs it on Linux"
        return [warning(ZYGOTES, name, f"{text}; no triton", remedy)]
    if name == "torch-gpu":
        if not told.get("gpus"):
            remedy = "install a build of torch with CUDA, and the driver that it asks for"
            return [warning(ZYGOTES, name, f"{text}; torch sees no GPU", remedy)]
        text += f", {told['gpus']} GPU"
    return [ok(ZYGOTES, name, text)]
