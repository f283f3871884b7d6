"""`make test`, `make lint` and their parts: set up what they need, run all of it, sum up at the end."""

import argparse
import asyncio
import contextlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tools.bootstrap import set_up, software_steps
from tools.checkout import FRONTEND, FUZZ, ROOT, VENV_PYTHON
from tools.console import Console
from tools.environments import CONSTRAINTS, requirements
from tools.frontend import node_environment, npm
from tools.postgres import PostgresError, find_programs, temporary_cluster
from tools.steps import StepError

_POSTGRES_TESTS = ("tests/web", "tests/gpu_workers")
_BROWSER_TESTS = "tests/e2e"
_LAB_TESTS = "tests/labs"
_LINT_IMPORTS = "from importlinter.cli import lint_imports_command as lint; lint()"
_PYTHON = (str(VENV_PYTHON), "-m")


@dataclass(frozen=True, slots=True)
class Check:
    """One command of `make lint`."""

    name: str
    command: Sequence[str]
    folder: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is said about one part at the end."""

    name: str
    passed: bool
    text: str


def lint_checks() -> list[Check]:
    """All of them, longest first. Each reads; `make format` is what writes."""
    on_path = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}"}
    with_node = node_environment()
    return [
        Check("mypy", (*_PYTHON, "mypy"), environment=on_path),
        Check("ruff format", (*_PYTHON, "ruff", "format", "--check", ".")),
        Check("ruff check", (*_PYTHON, "ruff", "check", ".")),
        Check("import-linter", (str(VENV_PYTHON), "-c", _LINT_IMPORTS), environment=on_path),
        Check(
            "migrations",
            (str(VENV_PYTHON), "manage.py", "makemigrations", "--check", "--dry-run"),
            environment={"DJANGO_SETTINGS_MODULE": "campus.settings.test"},
        ),
        Check("djlint", (*_PYTHON, "djlint", "--lint", "platform")),
        Check("Biome", npm("run", "--silent", "lint"), FRONTEND, with_node),
        Check("tsc", npm("run", "--silent", "typecheck"), FRONTEND, with_node),
    ]


def lint(console: Console) -> list[Outcome]:
    def run(check: Check) -> Outcome:
        began = time.monotonic()
        answer = subprocess.run(
            check.command,
            cwd=check.folder,
            env={**os.environ, **check.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - began
        passed = answer.returncode == 0
        text = "" if passed else f"\n{answer.stdout}{answer.stderr}".rstrip()
        console.say(f"  {_mark(console, passed)} {check.name} ({seconds:.1f} s){text}")
        return Outcome(check.name, passed, f"{seconds:.1f} s")

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, lint_checks()))


def test_frontend(console: Console) -> list[Outcome]:
    return [_run(console, "front end", npm("run", "test"), FRONTEND, node_environment())]


def test_sqlite(console: Console, chosen: Sequence[str]) -> list[Outcome]:
    """All of it, two processes at a time: the labs' own tests and those behind the Docker wall need no
    database and half of the time. Their output is shown when the others' is complete."""
    name = "Python on SQLite"
    if chosen:
        return [_pytest(console, name, chosen, {})]
    kept = io.StringIO()
    beside = Console(kept)

    def at_the_same_time() -> list[Outcome]:
        return [
            _pytest(beside, "labs", (_LAB_TESTS,), {}),
            _pytest(beside, "behind Docker", ("tests/docker", "tests/grader", "-m", "docker"), {}),
        ]

    with ThreadPoolExecutor(1) as pool:
        others = pool.submit(at_the_same_time)
        rest = ("tests", f"--ignore={_BROWSER_TESTS}", f"--ignore={_LAB_TESTS}")
        outcome = _pytest(console, name, (*rest, "-m", "not docker"), {})
        outcomes = [outcome, *others.result()]
    console.say(kept.getvalue())
    return outcomes


def test_browser(console: Console, chosen: Sequence[str]) -> list[Outcome]:
    """In a process of its own: Playwright's event loop runs on, and Django and asyncio mind that."""
    return [_pytest(console, "in the browser", chosen or (_BROWSER_TESTS,), {})]


def test_postgres(console: Console, chosen: Sequence[str]) -> list[Outcome]:
    name = "Python on PostgreSQL"
    if find_programs() is None and not os.environ.get("CI"):
        console.problem(f"{name}: not run, because initdb was not found (apt install postgresql)")
        return [Outcome(name, True, "NOT RUN: initdb was not found")]
    try:
        with temporary_cluster() as url:
            return [_pytest(console, name, chosen or _POSTGRES_TESTS, {"DATABASE_URL": url})]
    except PostgresError as error:
        return [Outcome(name, False, str(error))]


def bench(console: Console, options: Sequence[str]) -> list[Outcome]:
    """All of tests/bench but the soak, which the comparison contains; options are for that one."""
    names = [path.stem for path in sorted((ROOT / "tests" / "bench").glob("bench_*.py"))]
    return [
        _run(
            console,
            name,
            [*_PYTHON, f"tests.bench.{name}", *(options if name == "bench_compare" else ())],
        )
        for name in names
        if name != "bench_soak"
    ]


def fuzz(console: Console, arguments: Sequence[str]) -> list[Outcome]:
    """In a folder of its own lies what only this needs; without it there is nothing to run."""
    if not (FUZZ / "atheris").is_dir():
        packages = requirements("fuzz")
        install = [*_PYTHON, "pip", "install", "--quiet", "--disable-pip-version-check"]
        target = ["--target", str(FUZZ), "--constraint", str(CONSTRAINTS), *packages]
        installed = _run(console, "atheris", [*install, *target])
        if not installed.passed:
            return [installed]
    return [_run(console, "fuzz", [*_PYTHON, "tests.fuzz", *arguments])]


def lint_deep(console: Console, chosen: Sequence[str]) -> list[Outcome]:
    """Every lab, or those that are named, on many seeds, in real jails."""
    folders = list(chosen) or sorted(str(path.parent) for path in ROOT.glob("labs/*/lab.toml"))
    command = [*_PYTHON, "grader", "lint", "--seeds", "200"]
    return [_run(console, folder, [*command, folder]) for folder in folders]


def format_all(console: Console) -> list[Outcome]:
    return [
        _run(console, "ruff format", [*_PYTHON, "ruff", "format", "."]),
        _run(console, "ruff check --fix", [*_PYTHON, "ruff", "check", "--fix", "."]),
        _run(console, "Biome", npm("run", "format"), FRONTEND, node_environment()),
    ]


def _pytest(
    console: Console, name: str, chosen: Sequence[str], environment: Mapping[str, str]
) -> Outcome:
    return _run(console, name, [*_PYTHON, "pytest", *chosen], environment=environment)


def _run(
    console: Console,
    name: str,
    command: Sequence[str],
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a command whose output is shown as it comes; its last line is its own summary."""
    console.say(console.paint(f"\n== {name}", 1))
    last = ""
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            console.say(line.rstrip("\n"))
            last = line.strip() or last
    return Outcome(name, process.returncode == 0, last)


def _mark(console: Console, passed: bool) -> str:
    return console.paint("✓", 32) if passed else console.paint("✗", 31)


@contextlib.contextmanager
def _interruptible(console: Console) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        console.problem("stopped")
        sys.exit(130)


def main() -> int:
    parts: dict[str, Callable[[Console, Sequence[str]], list[Outcome]]] = {
        "lint": lambda console, _: lint(console),
        "lint-deep": lint_deep,
        "format": lambda console, _: format_all(console),
        "bench": bench,
        "fuzz": fuzz,
        "test": lambda console, _: [
            *test_frontend(console),
            *test_sqlite(console, ()),
            *test_postgres(console, ()),
            *test_browser(console, ()),
        ],
        "test-frontend": lambda console, _: test_frontend(console),
        "test-sqlite": test_sqlite,
        "test-postgres": test_postgres,
        "test-browser": test_browser,
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=parts)
    parser.add_argument("arguments", nargs="*", help="for pytest")
    options = parser.parse_args()
    console = Console()
    with _interruptible(console):
        try:
            asyncio.run(set_up(software_steps(development=True), console))
        except StepError as failure:
            console.problem(str(failure))
            return 1
        outcomes = parts[options.part](console, options.arguments)
    console.say()
    for outcome in outcomes:
        console.say(f"  {_mark(console, outcome.passed)} {outcome.name}: {outcome.text}")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
