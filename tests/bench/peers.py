"""nbgrader and otter-grader, each in an environment of its own, with the lab's checks as asserts.

Both get what their documentation calls the quickest way. nbgrader autogrades a whole class in one process,
so its imports are paid for once; with several processes each has a course of its own, or they would wait
for one SQLite file. otter is run without its container, on an autograder file that was generated before.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from labs.catalog import Lab
from tests.bench.asserts import Asserts, asserts_of, own_cells

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".bench"
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
PACKAGES = {"nbgrader": ["nbgrader", "numpy"], "otter": ["otter-grader", "numpy", "ipykernel"]}
TORCH_NEEDS = [
    "torch",
    "torchgen",
    "functorch",
    "sympy",
    "mpmath",
    "networkx",
    "jinja2",
    "markupsafe",
    "fsspec",
    "filelock",
    "typing_extensions.py",
    "setuptools",
    "_distutils_hack",
]


class PeerMissing(Exception):
    """An environment could not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of gradings took."""

    gradings: int
    seconds: float
    processor_seconds: float


class Peer(Protocol):
    name: str
    way: str

    def prepare(self, lab: Lab, processes: int, each: int) -> None: ...

    def grade(self, processes: int) -> Round: ...


def environment_of(name: str, lab: Lab) -> Path:
    """The peer's own environment, made with plain pip the first time.

    Raises:
        PeerMissing: pip could not fetch it.
    """
    place = HOME / name
    python = place / "bin" / "python"
    if not (place / ".complete").exists():
        print(f"  making an environment for {name} (once)", flush=True)
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", *PACKAGES[name]]
        answer = subprocess.run(pip, capture_output=True, text=True, check=False)
        if answer.returncode:
            shutil.rmtree(place, ignore_errors=True)
            raise PeerMissing(
                f"pip could not install {' '.join(PACKAGES[name])} (is there a network?): "
                f"{answer.stderr.strip().splitlines()[-1:]}"
            )
        (place / ".complete").touch()
    if lab.zygote == "torch":
        _lend_torch(place)
    return place / "bin"


def _lend_torch(place: Path) -> None:
    """The same torch for everybody: links to the one that is installed here."""
    packages = next((place / "lib").glob("python*/site-packages"))
    import torch

    source = Path(torch.__file__).parents[1]
    for name in TORCH_NEEDS:
        if (source / name).exists() and not (packages / name).exists():
            (packages / name).symlink_to(source / name)


def notebook(cells: Sequence[tuple[str, str, dict[str, Any]]]) -> str:
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": KERNEL,
            "cells": [
                {"cell_type": "code", "id": cell_id, "source": source, "metadata": metadata}
                | {"outputs": [], "execution_count": None}
                for cell_id, source, metadata in cells
            ],
        }
    )


def timed(bin_folder: Path, commands: Sequence[tuple[list[str], Path]], gradings: int) -> Round:
    """Run all commands of an environment at once and wait for them."""
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    log = HOME / "peers.log"
    before, began = os.times(), time.perf_counter()
    with log.open("ab") as output:
        running = [
            subprocess.Popen(
                [str(bin_folder / command[0]), *command[1:]],
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=output,
            )
            for command, folder in commands
        ]
        try:
            failed = [process.args for process in running if process.wait()]  # all are waited for
        finally:
            for process in running:
                process.kill()  # where we were interrupted
    seconds, after = time.perf_counter() - began, os.times()
    if failed:
        raise PeerMissing(f"{failed[0]!r} failed; see .bench/{log.name}")
    used = after.children_user - before.children_user
    used += after.children_system - before.children_system
    return Round(gradings, seconds, used)


class Nbgrader:
    name = "nbgrader autograde"
    way = "nbgrader autograde, a class per process: one process for all of its submissions"

    def prepare(self, lab: Lab, processes: int, each: int) -> None:
        self.bin = environment_of("nbgrader", lab)
        self.each = each
        self.places = [HOME / "work" / "nbgrader" / str(number) for number in range(processes)]
        source, solved = self._notebooks(lab, list(asserts_of(lab)))
        shutil.rmtree(self.places[0].parent, ignore_errors=True)
        first, *others = self.places
        (first / "source" / "lab").mkdir(parents=True)
        (first / "source" / "lab" / "lab.ipynb").write_text(source)
        (first / "nbgrader_config.py").write_text(
            "c = get_config()\nc.CourseDirectory.course_id = 'bench'\n"
        )
        timed(self.bin, [(["nbgrader", "generate_assignment", "lab"], first)], 0)
        for number in range(each):
            folder = first / "submitted" / f"student{number}" / "lab"
            folder.mkdir(parents=True)
            (folder / "lab.ipynb").write_text(solved)
        for place in others:
            shutil.copytree(first, place)

    @staticmethod
    def _notebooks(lab: Lab, checks: list[Asserts]) -> tuple[str, str]:
        """The instructor's source and what every student handed in."""

        def marked(cell_id: str, **fields: Any) -> dict[str, Any]:
            plain = {"grade": False, "grade_id": cell_id, "locked": True, "schema_version": 3}
            return {"nbgrader": plain | {"solution": False, "task": False} | fields}

        source, solved = [], []
        answers = {cell.id for cell in lab.cells if cell.role == "exercise"}
        for cell_id, text in own_cells(lab):
            is_answer = cell_id in answers
            metadata = marked(cell_id, locked=not is_answer, solution=is_answer)
            begin, end = "### BEGIN SOLUTION\n", "\n### END SOLUTION"
            source.append((cell_id, f"{begin}{text}{end}" if is_answer else text, metadata))
            solved.append((cell_id, text, metadata))
        for check in checks:
            cell_id = f"test-{check.name}".replace("_", "-")
            metadata = marked(cell_id, grade=True, points=check.points)
            for cells in (source, solved):
                cells.append((cell_id, "import numpy as np\n" + check.lines("globals()"), metadata))
        return notebook(source), notebook(solved)

    def grade(self, processes: int) -> Round:
        command = ["nbgrader", "autograde", "lab", "--force"]
        commands = [(command, place) for place in self.places[:processes]]
        done = timed(self.bin, commands, processes * self.each)
        for place in self.places[:processes]:
            graded = len(list(place.glob("autograded/*/lab/lab.ipynb")))
            if graded != self.each:
                raise PeerMissing(f"nbgrader graded {graded} of {self.each}; see .bench/peers.log")
        return done


class Otter:
    name = "otter run"
    way = "otter run without a container, on an autograder file generated before"

    def prepare(self, lab: Lab, processes: int, each: int) -> None:
        self.bin = environment_of("otter", lab)
        checks = list(asserts_of(lab))
        self.points = sum(check.points for check in checks)
        self.place = HOME / "work" / "otter"
        shutil.rmtree(self.place, ignore_errors=True)
        (self.place / "tests").mkdir(parents=True)
        for check in checks:
            header = "@test_case(points=None, hidden=False)\ndef run_case(env):"
            torch = "import torch\n" if lab.zygote == "torch" else ""
            (self.place / "tests" / f"{check.name}.py").write_text(
                f"import numpy as np\n{torch}from otter.test_files import test_case\n\n"
                f"OK_FORMAT = False\nname = {check.name!r}\npoints = {check.points}\n\n\n"
                + check.inside_a_function(header, "env")
            )
        start: tuple[str, str, dict[str, Any]] = (
            "start",
            "import otter\ngrader = otter.Notebook()",
            {},
        )
        cells = [start, *((i, text, {}) for i, text in own_cells(lab))]
        cells += [
            (f"ask-{check.name}".replace("_", "-"), f"grader.check({check.name!r})", {})
            for check in checks
        ]
        command = ["otter", "generate", "-t", "tests", "-o", "autograder.zip"]
        timed(self.bin, [(command, self.place)], 0)
        self.folders = [self.place / str(number) for number in range(processes)]
        for folder in self.folders:
            (folder / "out").mkdir(parents=True)
            (folder / "lab.ipynb").write_text(notebook(cells))

    def grade(self, processes: int) -> Round:
        options = ["-a", str(self.place / "autograder.zip"), "-o", "out", "--no-logo"]
        command = ["otter", "run", *options, "lab.ipynb"]
        folders = self.folders[:processes]
        done = timed(self.bin, [(command, folder) for folder in folders], processes)
        for folder in folders:
            told = json.loads((folder / "out" / "results.json").read_text())["tests"]
            score = sum(test.get("score") or 0 for test in told)
            if score != self.points:
                raise PeerMissing(f"otter gave {score} of {self.points}; its figures mean nothing")
        return done
