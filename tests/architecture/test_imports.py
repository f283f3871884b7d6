"""The rules about imports that import-linter cannot express, and what an import really loads."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("platform/campus", "grader", "gpu_workers", "labs")
LABS = sorted(path.parent for path in (ROOT / "labs").glob("*/lab.toml"))
HEAVY = {"torch", "docker", "nbgrader", "IPython", "sklearn", "scipy"}


def imported_names(source: str) -> set[str]:
    """Every module that the source imports anywhere, late imports included."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def python_files(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from sorted((ROOT / room).rglob("*.py"))


def loaded_by(statement: str) -> set[str]:
    """Modules, one and two names deep, that a statement loads into a fresh interpreter."""
    answer = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys; print(*sorted(sys.modules))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {".".join(name.split(".")[:depth]) for name in answer.stdout.split() for depth in (1, 2)}


def test_the_site_loads_neither_torch_nor_docker_nor_nbgrader() -> None:
    loaded = loaded_by(
        "import os, sys; sys.path.insert(0, 'platform')\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'campus.settings.test'\n"
        "import campus.asgi\n"
        "from django.urls import get_resolver\n"
        "get_resolver().url_patterns  # and with the addresses all views"
    )
    assert "campus" in loaded
    assert loaded & {"torch", "docker", "nbgrader"} == set()


def test_the_graders_api_loads_no_numerical_library() -> None:
    assert loaded_by("import grader.api") & {*HEAVY, "numpy", "celery", "django"} == set()


def test_the_catalog_of_labs_loads_no_numerical_library() -> None:
    loaded = loaded_by("from labs.catalog import find_labs; find_labs()")
    assert loaded & {*HEAVY, "numpy", "celery", "django"} == set()


def test_a_worker_knows_neither_django_nor_the_database() -> None:
    loaded = loaded_by("import gpu_workers.app, gpu_workers.tasks")
    # Not "django": kombu looks at its lazy strings wherever it is installed.
    assert loaded & {"django.conf", "django.db", "campus", "psycopg", "sqlite3"} == set()
    assert "nbgrader" not in loaded


@pytest.mark.parametrize(
    ("package", "only"),
    [("docker", "grader/sandbox/docker.py"), ("nbgrader", "grader/release.py")],
)
def test_a_heavy_package_is_imported_in_one_file(package: str, only: str) -> None:
    importers = {
        str(path.relative_to(ROOT))
        for path in python_files(*ROOMS)
        if any(name.partition(".")[0] == package for name in imported_names(path.read_text()))
    }
    assert importers <= {only}


def test_celery_objects_are_built_in_two_files_only() -> None:
    builders = set()
    for path in python_files(*ROOMS):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
                if (name.id if isinstance(name, ast.Name) else name) == "Celery":
                    builders.add(str(path.relative_to(ROOT)))
    assert builders == {"gpu_workers/app.py", "platform/campus/celery.py"}


def test_no_app_talks_to_another_by_signals() -> None:
    for path in python_files("platform/campus"):
        names = imported_names(path.read_text())
        assert not any(name.endswith(".signals") or name == "django.dispatch" for name in names), (
            f"{path} uses signals to get around the layers"
        )


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_checks_import_the_check_api_labkit_and_the_standard_library_only(lab: Path) -> None:
    names = imported_names((lab / "checks.py").read_text())
    foreign = {
        name
        for name in names
        if name != "grader.checks"
        and not name.startswith("grader.services")
        and name.partition(".")[0] not in {"labkit", "numpy", "torch", *sys.stdlib_module_names}
    }
    assert not foreign, f"{lab.name}/checks.py imports {foreign}"


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_a_notebook_imports_numpy_torch_labkit_and_the_standard_library_only(lab: Path) -> None:
    allowed = {"numpy", "torch", "triton", "labkit", *sys.stdlib_module_names}
    names = {name.partition(".")[0] for name in imported_names((lab / "lab.py").read_text())}
    assert names <= allowed, f"{lab.name}/lab.py imports {names - allowed}"


def test_there_are_labs_to_look_at() -> None:
    assert LABS


def test_every_source_file_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in python_files("platform/campus", "grader", "gpu_workers", "tools")
        if "migrations" not in path.parts
        and path.read_text().strip()
        and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert silent == []
