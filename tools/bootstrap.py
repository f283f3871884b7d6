"""Brings a checkout to where it can run: environments, front end, database. Standard library only.

`python3.11 -m tools.bootstrap` does the set-up alone; `make run`, `make test` and `make lint` call
`set_up` with what they need. What is up to date is not done again.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.checkout import ROOT, VENV_PYTHON, ZYGOTES, home
from tools.console import Console
from tools.environments import (
    SITE,
    SITE_PACKAGES,
    create_step,
    development_step,
    install_step,
    link_step,
    requirements,
    site_steps,
)
from tools.frontend import frontend_steps
from tools.lock import BusyError, locked
from tools.progress import Line, Progress
from tools.steps import Step, StepError, carry_out, hash_files, run_logged

_NUMPY_ZYGOTE = ZYGOTES / "numpy"
_TORCH_ZYGOTE = ZYGOTES / "torch"


def software_steps(development: bool = False) -> list[Step]:
    """Everything that is installed or built from this checkout."""
    zygote = "Jail environment"
    steps = [
        *site_steps(),
        create_step(zygote, _NUMPY_ZYGOTE, with_pip=False),
        install_step(
            "Jail packages", _NUMPY_ZYGOTE, "numpy", requirements("numpy-zygote"), (zygote, SITE)
        ),
        create_step(f"{zygote} with torch", _TORCH_ZYGOTE, with_pip=False),
        link_step(
            "Jail packages with torch",
            _TORCH_ZYGOTE,
            "torch",
            requirements("torch-zygote"),
            (f"{zygote} with torch", SITE_PACKAGES),
        ),
        *frontend_steps(),
    ]
    return [*steps, development_step()] if development else steps


async def set_up(steps: Sequence[Step], console: Console) -> None:
    """Do what is not up to date, alone in this checkout. Raises StepError."""
    if all(step.is_current() for step in steps):
        return
    lock = ROOT / ".setup.lock"
    while True:
        try:
            with locked(lock):
                await carry_out(steps, Progress(console))
                return
        except BusyError as busy:
            console.note(f"waiting for the set-up by process {busy.holder.get('pid', '?')}")
            while lock.exists():
                await asyncio.sleep(0.2)


def database_step() -> Step:
    """The local database with the course and the demonstration's people in it."""
    database = home() / "db.sqlite3"

    async def work(line: Line) -> None:
        def on_line(text: str) -> None:
            if text.startswith("> "):
                line.show(text[2:])
            else:
                line.results.append(text)

        await prepare_database(on_line)

    return Step(
        name="Database and course",
        stamp=home() / ".prepared",
        inputs=lambda: hash_files(_database_sources()),
        # Another file of that name (restored, or made by hand) is prepared anew.
        product=lambda: str(database.stat().st_ino) if database.exists() else None,
        work=work,
    )


async def prepare_database(on_line: Callable[[str], None]) -> None:
    await run_logged(
        [str(VENV_PYTHON), "-m", "tools.prepare"],
        log_name=None,  # what it says holds passwords, so no log keeps it
        on_line=on_line,
        remedy="Nothing is half done: run the same command again once the reason is mended.",
    )


def _database_sources() -> list[Path]:
    campus = ROOT / "platform" / "campus"
    found = {ROOT / "tools" / "prepare.py"}
    for pattern in ("*/migrations/*.py", "*/management/**/*.py", "schedule/**/*.py"):
        found.update(campus.glob(pattern))
    found.update((ROOT / "course").glob("*.md"))
    for pattern in ("*/lab.toml", "*/lab.py", "*/checks.py"):
        found.update((ROOT / "labs").glob(pattern))
    return list(found)


def main() -> int:
    console = Console()
    try:
        asyncio.run(set_up(software_steps(), console))
    except StepError as failure:
        console.problem(str(failure))
        return 1
    except KeyboardInterrupt:
        console.problem("Stopped. The same command continues here.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
