"""Every lab that can be found, as small frozen values: what campus and the grader know about a lab.

Reading a lab never runs it. `lab.toml` is parsed, `lab.py` is cut into cells, and what `checks.py`
declares is taken from its syntax tree, so a web process can list labs without numpy or torch and
without executing anybody's code. Each lab is cached under the times and sizes of its files: an edited
lab is noticed at the next call, an unchanged one costs three `stat`s.

`GRADUS_LABS_PATH` adds folders that hold further labs, separated like PATH; a lab found there replaces
one of the same name that ships with the project. Labs that were uploaded to the site lie in `labs` in its folder
of runtime data (GRADUS_HOME).
"""

import ast
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeVar

from grader import notebook
from grader.errors import LabError, NotebookError
from grader.percent import SourceCell, read_percent
from grader.protocol import Limits
from labs.consistency import inconsistencies
from labs.declarations import CheckInfo, declared_checks
from labs.description import Description, Paper, read_description
from labs.homework import Homework, Part, read_homework
from labs.preview import Preview

__all__ = [
    "Cell",
    "CheckInfo",
    "Exercise",
    "Homework",
    "Lab",
    "LabError",
    "ManualItem",
    "NotebookError",
    "Paper",
    "Part",
    "Preview",
    "find_homeworks",
    "find_labs",
    "get_homework",
    "get_lab",
    "preview_upload",
    "read_answers",
    "store_upload",
    "student_notebook",
]

HOME = Path(__file__).resolve().parent
SCORING_FILES = ("checks.py", "lab.py", "lab.toml")  # sorted; what can change a score

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise with its cells and checks, in the order of the notebook."""

    id: str
    title: str
    points: Decimal
    minutes: int
    cells: tuple[str, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the student's version."""

    id: str
    kind: Literal["markdown", "code"]
    role: Literal["prose", "exercise", "check", "setup"]
    source: str
    exercise: str | None
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ManualItem:
    """A cell that a human grades: an answer in words or pictures, or a task."""

    cell: str
    exercise: str
    title: str
    points: Decimal
    kind: Literal["answer", "task"]
    prompt: str  # Markdown: what was asked


@dataclass(frozen=True, slots=True)
class Lab:
    """One lab as students see it. Solutions are not in here."""

    slug: str
    title: str
    summary: str
    topic: str
    week: int
    points: Decimal
    zygote: Literal["numpy", "torch", "torch-gpu"]
    limits: Limits
    forbid: tuple[str, ...]
    papers: tuple[Paper, ...]
    exercises: tuple[Exercise, ...]
    checks: tuple[CheckInfo, ...]
    cells: tuple[Cell, ...]
    content_hash: str
    folder: Path
    kind: Literal["sealed", "classic"] = (
        "sealed"  # classic: the notebook's own asserts give the points
    )
    manual: tuple[ManualItem, ...] = ()
    # A process that has used CUDA cannot be forked and used on: each check has the notebook run again.
    fresh: bool = False

    def cell(self, cell_id: str) -> Cell:
        """The cell of that id; KeyError when there is none."""
        return _one(self.cells, "id", cell_id)

    def exercise(self, exercise_id: str) -> Exercise:
        """The exercise of that id; KeyError when there is none."""
        return _one(self.exercises, "id", exercise_id)

    def check(self, name: str) -> CheckInfo:
        """The check of that name; KeyError when there is none."""
        return _one(self.checks, "name", name)


def find_labs() -> dict[str, Lab]:
    """All labs by slug, in the order of their weeks.

    Raises:
        LabError: any lab is broken; the message has every problem of it, with file, key and remedy.
    """
    labs = [read_lab(folder) for folder in _folders().values()]
    return {lab.slug: lab for lab in sorted(labs, key=lambda lab: (lab.week, lab.slug))}


def get_lab(slug: str) -> Lab:
    """One lab; other labs may be broken meanwhile.

    Raises:
        LabError: there is no such lab, or it is broken.
    """
    folders = _folders()
    if slug not in folders:
        known = ", ".join(sorted(folders)) or "none"
        raise LabError(f"There is no lab {slug!r}; found: {known}. Is GRADUS_LABS_PATH set?")
    return read_lab(folders[slug])


def find_homeworks() -> tuple[str, ...]:
    """The names of all homeworks, in order; nothing of them is read yet."""
    return tuple(sorted(_homework_files()))


def get_homework(name: str) -> Homework:
    """What one homework is made of.

    Raises:
        LabError: there is no such homework, or its file or one of its labs is broken.
    """
    files = _homework_files()
    if name not in files:
        known = ", ".join(sorted(files)) or "none"
        raise LabError(f"There is no homework {name!r}; found: {known}.")
    return read_homework(files[name], get_lab)


def imported_labs() -> Path:
    """Where the site stores labs that were uploaded to it: `labs` in its folder of runtime data."""
    return Path(os.environ.get("GRADUS_HOME") or HOME.parent / "var").absolute() / "labs"


def preview_upload(name: str, content: bytes) -> Preview:
    """What an uploaded nbgrader course or notebook would become; nothing is written."""
    from labs import importing

    return importing.preview_upload(name, content, taken=_folders())


def store_upload(preview: Preview) -> list[str]:
    """Write the labs of a preview to the site's folder of labs; LabError when it has problems."""
    from labs import importing

    return importing.store_labs(preview, imported_labs())


def student_notebook(lab: Lab, answers: Mapping[str, str] | None = None) -> bytes:
    """The canonical .ipynb of a lab with these answers: the same answers give the same bytes."""
    return notebook.student_notebook(lab, answers)


def read_answers(lab: Lab, document: bytes | str) -> dict[str, str]:
    """The answers in an .ipynb that somebody handed in; NotebookError says what is wrong with it."""
    return notebook.read_answers(lab, document)


_cache: dict[Path, tuple[tuple[tuple[int, int], ...], Lab]] = {}


def read_lab(folder: Path) -> Lab:
    """The lab in a folder, from the cache unless one of its files changed.

    Raises:
        LabError: with every problem that was found.
    """
    folder = folder.resolve()
    from labs import classic  # needs what is defined above

    is_classic = classic.is_classic(folder)
    files = (
        classic.scoring_files(folder) if is_classic else [folder / name for name in SCORING_FILES]
    )
    try:
        stats = [path.stat() for path in files]
    except FileNotFoundError as error:
        name = Path(error.filename).name
        raise LabError(
            f"{folder}: {name} is missing; a lab is {', '.join(SCORING_FILES)}; "
            "see docs/writing-a-lab.md."
        ) from None
    version = tuple((stat.st_mtime_ns, stat.st_size) for stat in stats)
    cached = _cache.get(folder)
    if cached is None or cached[0] != version:
        lab = classic.read_classic(folder) if is_classic else _read(folder)
        cached = _cache[folder] = (version, lab)
    return cached[1]


def content_hash(folder: Path) -> str:
    """sha256 over every file that can change a score, names and lengths included."""
    digest = hashlib.sha256()
    for name in SCORING_FILES:
        content = (folder / name).read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _folders() -> dict[str, Path]:
    """Slug → folder; what GRADUS_LABS_PATH names comes last and wins."""
    from labs.classic import is_classic

    return {
        folder.name: folder
        for place in _places()
        for folder in sorted(place.iterdir())
        if not folder.name.startswith(".")
        and ((folder / "lab.toml").exists() or is_classic(folder))
    }


def _homework_files() -> dict[str, Path]:
    return {
        found.stem: found for place in _places() for found in sorted(place.glob("homeworks/*.toml"))
    }


def _places() -> list[Path]:
    added = [
        Path(part) for part in os.environ.get("GRADUS_LABS_PATH", "").split(os.pathsep) if part
    ]
    imported = imported_labs()
    places = [HOME, *([imported] if imported.is_dir() else []), *added]
    for place in added:
        if not place.is_dir():
            raise LabError(f"GRADUS_LABS_PATH: {place} is no folder; correct it or take it out.")
    return places


def _read(folder: Path) -> Lab:
    problems: list[str] = []
    description = read_description(folder / "lab.toml", problems)
    checks = declared_checks(folder / "checks.py", problems)
    sources: tuple[SourceCell, ...] = ()
    try:
        sources = read_percent(
            (folder / "lab.py").read_text(encoding="utf-8"), file=str(folder / "lab.py")
        )
    except LabError as error:
        problems.append(str(error))
    except UnicodeDecodeError as error:
        problems.append(f"{folder / 'lab.py'}: {error}; save it as UTF-8.")
    if description is None or problems:
        raise LabError("\n".join(problems))
    cells = tuple(_cells(folder, sources, description, checks, problems))
    lab = Lab(
        slug=description.slug,
        title=description.title,
        summary=description.summary,
        topic=description.topic,
        week=description.week,
        points=description.points,
        zygote=description.zygote,
        limits=description.limits,
        forbid=description.forbid,
        fresh=description.fresh,
        papers=description.papers,
        exercises=tuple(
            Exercise(
                id=exercise.id,
                title=exercise.title,
                points=exercise.points,
                minutes=exercise.minutes,
                cells=exercise.cells,
                checks=tuple(check.name for check in checks if check.exercise == exercise.id),
            )
            for exercise in description.exercises
        ),
        checks=tuple(checks),
        cells=cells,
        content_hash=content_hash(folder),
        folder=folder,
        manual=tuple(_manual_items(sources, cells)),
    )
    problems += inconsistencies(lab, sources)
    if problems:
        raise LabError("\n".join(problems))
    return lab


def _cells(
    folder: Path,
    sources: tuple[SourceCell, ...],
    description: Description,
    declared: list[CheckInfo],
    problems: list[str],
) -> Iterator[Cell]:
    exercise_of = {cell: e.id for e in description.exercises for cell in e.cells}
    exercise_of_check = {check.name: check.exercise for check in declared}
    prose = 0
    for found in sources:
        place = f"{folder / 'lab.py'}: line {found.line}"
        try:
            source = found.student_source()
        except LabError as error:
            problems.append(f"{folder / 'lab.py'}: {error}")
            continue
        role: Literal["prose", "exercise", "check", "setup"]
        if found.is_manual or (found.is_solution and found.kind == "code"):
            role = "exercise"
        elif found.kind == "markdown":
            role = "prose"
        elif found.is_grade:
            role = "check"
        elif found.nbgrader and found.nbgrader["locked"]:
            role = "setup"
        else:
            problems.append(
                f"{place}: a code cell without a role; give it nbgrader metadata with a grade_id and "
                "one of solution, grade or locked."
            )
            continue
        prose += found.grade_id is None
        asked = tuple(_asked_checks(source)) if role == "check" else ()
        yield Cell(
            id=found.grade_id or f"prose-{prose}",
            kind=found.kind,
            role=role,
            source=source,
            exercise=(
                exercise_of_check.get(asked[0]) if asked else exercise_of.get(found.grade_id or "")
            ),
            checks=asked,
        )


def _manual_items(sources: tuple[SourceCell, ...], cells: tuple[Cell, ...]) -> Iterator[ManualItem]:
    """The cells that a human grades, each with the prose that stands before it."""
    by_id = {source.grade_id: source for source in sources if source.is_manual}
    prompt = ""
    for cell in cells:
        source = by_id.get(cell.id)
        if source is None:
            prompt = cell.source if cell.role == "prose" else prompt
            continue
        task = bool(source.nbgrader and source.nbgrader.get("task"))
        heading = next((line for line in prompt.split("\n") if line.startswith("#")), cell.id)
        yield ManualItem(
            cell=cell.id,
            exercise=cell.exercise or "",
            title=heading.strip("# ")[:300],
            points=source.points or Decimal(0),
            kind="task" if task else "answer",
            prompt=cell.source if task else prompt,
        )


def _asked_checks(source: str) -> Iterator[str]:
    """The names in a check cell that holds nothing but `check("name")` lines."""
    for node in ast.parse(source).body:
        match node:
            case ast.Expr(
                ast.Call(ast.Name("check"), args=[ast.Constant(str() as name)], keywords=[])
            ):
                yield name


def _one(values: tuple[_T, ...], key: str, wanted: str) -> _T:
    for value in values:
        if getattr(value, key) == wanted:
            return value
    raise KeyError(wanted)
