"""Python environments: the site's own, and one for each zygote with nothing in it but what a lab may use."""

import importlib.util
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.checkout import ROOT, VENV, VENV_PYTHON
from tools.progress import Line
from tools.steps import Step, StepError, hash_files, run_logged

CONSTRAINTS = ROOT / "constraints.txt"
# Stands in an environment while something is being installed into it. pip takes a package that it
# was interrupted in for a finished one, so an environment with this file in it is made anew.
_UNFINISHED = ".unfinished"
_AGAIN = "Run the same command again: it continues where it stopped."


def create_step(
    name: str, folder: Path, after: tuple[str, ...] = (), with_pip: bool = True
) -> Step:
    """The empty environment."""
    return Step(
        name=name,
        stamp=folder / ".gradus-created",
        inputs=lambda: "3.11",
        product=lambda: _identity(folder),
        work=lambda line: _create(folder, with_pip, line),
        after=after,
    )


def install_step(
    name: str, folder: Path, group: str, requirements: Sequence[str], after: tuple[str, ...]
) -> Step:
    """Packages in an environment, at the versions of constraints.txt."""
    return Step(
        name=name,
        stamp=folder / f".gradus-{group}",
        inputs=lambda: hash_files([CONSTRAINTS], *requirements),
        product=lambda: _identity(folder),
        work=lambda line: _install(folder, group, requirements, line),
        after=after,
    )


def link_step(
    name: str, folder: Path, group: str, requirements: Sequence[str], after: tuple[str, ...]
) -> Step:
    """Packages that the site's environment has already, linked from there: no second download, and next to
    no space. An environment with nothing else in it is what makes a forbidden package absent."""
    return Step(
        name=name,
        stamp=folder / f".gradus-{group}",
        inputs=lambda: hash_files([CONSTRAINTS, ROOT / "tools" / "linking.py"], *requirements),
        product=lambda: _identity(folder),
        work=lambda line: _link(folder, group, requirements, line),
        after=after,
    )


def requirements(group: str | None = None) -> list[str]:
    """What pyproject.toml asks for: the site's dependencies, or those of an optional group."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found: list[str] = project["optional-dependencies"][group] if group else project["dependencies"]
    return found


def _identity(folder: Path) -> str | None:
    if not (folder / "bin" / "python").exists() or (folder / _UNFINISHED).exists():
        return None
    configuration = (folder / "pyvenv.cfg").read_text()
    return configuration if re.search(r"^version\s*=\s*3\.11\.", configuration, re.M) else None


async def _create(folder: Path, with_pip: bool, line: Line) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise StepError(
            f"{sys.executable} comes without ensurepip, so it cannot make virtual environments.\n"
            "  On Debian and Ubuntu:  sudo apt install python3.11-venv"
        )
    if folder.exists() and _identity(folder) is not None:
        return  # somebody made it by hand
    if folder.exists():
        line.show("removing an unfinished one")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _UNFINISHED).touch()
    options = [] if with_pip else ["--without-pip"]
    line.show(f"Python {sys.version.split()[0]}")
    await run_logged(
        [sys.executable, "-m", "venv", *options, str(folder)],
        log_name="setup-python",
        on_line=lambda _: None,
        remedy=_AGAIN,
    )
    (folder / _UNFINISHED).unlink()


async def _install(folder: Path, group: str, requirements: Sequence[str], line: Line) -> None:
    packages = next((folder / "lib").glob("python3.11")) / "site-packages"
    line.count = None
    before = total = 0

    def installed() -> str:
        count = sum(name.endswith(".dist-info") for name in os.listdir(packages))
        return f"{count - before} of {total} installed"

    def on_line(text: str) -> None:
        nonlocal before, total
        if text.startswith("Installing collected packages: "):
            before = sum(name.endswith(".dist-info") for name in os.listdir(packages))
            total = text.count(",") + 1
            line.count = installed
        line.show(_what_pip_does(text) or line.doing)

    (folder / _UNFINISHED).touch()
    await run_logged(
        [
            *(str(VENV_PYTHON), "-m", "pip", "--python", str(folder / "bin" / "python")),
            *("install", "--progress-bar", "off", "--no-input"),
            *("--constraint", str(CONSTRAINTS), *requirements),
        ],
        log_name=f"setup-{group}",
        on_line=on_line,
        remedy=f"If the network is the problem, mend it first. {_AGAIN}",
        environment={"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0"},
    )
    (folder / _UNFINISHED).unlink()


async def _link(folder: Path, group: str, requirements: Sequence[str], line: Line) -> None:
    (folder / _UNFINISHED).touch()
    packages = next((folder / "lib").glob("python3.11")) / "site-packages"
    await run_logged(
        [str(VENV_PYTHON), "-m", "tools.linking", str(packages), *requirements],
        log_name=f"setup-{group}",
        on_line=line.show,
        remedy=f"Delete {folder.relative_to(ROOT)} if this comes again. {_AGAIN}",
        environment={"PYTHONPATH": str(ROOT)},
    )
    (folder / _UNFINISHED).unlink()


def _what_pip_does(text: str) -> str:
    rules: list[tuple[str, Callable[[re.Match[str]], str]]] = [
        (r"Collecting ([\w.-]+)", lambda found: f"looking for {found[1]}"),
        (
            r"\s*Downloading .*?([\w.]+)-\d\S* \((.+)\)",
            lambda got: f"downloading {got[1]} ({got[2]})",
        ),
        (r"\s*Using cached .*?([\w.]+)-\d\S* ", lambda found: f"{found[1]} from the cache"),
        (r"Processing .*/([\w.]+)-\d", lambda found: f"reading {found[1]}"),
        (r"Building wheel", lambda _: "building"),
        (r"Installing collected", lambda _: "unpacking"),
    ]
    for pattern, phrase in rules:
        if found := re.match(pattern, text):
            return phrase(found)
    return ""


SITE = "Python environment"
SITE_PACKAGES = "Python packages"


def site_steps() -> list[Step]:
    return [
        create_step(SITE, VENV),
        install_step(SITE_PACKAGES, VENV, "runtime", requirements(), (SITE,)),
    ]


def development_step() -> Step:
    return install_step(
        "Development tools",
        VENV,
        "dev",
        [*requirements("dev"), *requirements("authoring")],
        (SITE_PACKAGES,),
    )
