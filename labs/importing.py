"""An nbgrader course folder, or one source notebook, as classic labs: first a preview, then the files.

A course comes as a folder or as a zip of it: `source/<assignment>/<notebook>.ipynb`. Each notebook becomes a
lab of its own. What is uploaded is hostile: names and sizes are tested before anything is unpacked, nothing is
run, and nothing is written before `store_labs`. A notebook's outputs are left behind.
"""

import fcntl
import io
import json
import os
import re
import shutil
import stat
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

from grader.document import parsed_json, read_document
from grader.errors import LabError, NotebookError
from grader.protocol import MAX_NOTEBOOK_BYTES
from labs import classic
from labs.preview import FoundLab, Preview

MAX_UPLOAD_BYTES = 20 * 2**20
MAX_UNPACKED_BYTES = 100 * 2**20
MAX_FILES = 3_000
MAX_LABS = 100
LONGEST_SLUG = 50
MAX_VALUES = 400_000  # lists and objects of a notebook that is read with its outputs
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
)
INSTALLED = {"numpy", "torch", "labkit", "IPython"}


def preview_upload(name: str, content: bytes, taken: Iterable[str] = ()) -> Preview:
    """What is in an uploaded .zip or .ipynb; `taken` are the names of labs that exist."""
    if len(content) > MAX_UPLOAD_BYTES:
        limit = MAX_UPLOAD_BYTES // 2**20
        return Preview(
            (), (f"{name}: is larger than {limit} MiB; leave out data and submissions.",), ()
        )
    if name.lower().endswith(".ipynb"):
        return preview_files({PurePosixPath(name.replace("\\", "/")).name: content}, taken)
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return Preview((), (f"{name}: is no .zip and no .ipynb; upload one of them.",), ())
    problems: list[str] = []
    if (
        content.count(b"PK\x01\x02") > 2 * MAX_FILES
    ):  # before a million entries become a million objects
        problem = f"the zip holds over {MAX_FILES} files; zip the folder source alone."
        return Preview((), (problem,), ())
    try:
        files = _unzipped(content, problems)
    except UNREADABLE as error:
        return Preview((), (f"{name}: cannot be unpacked ({error}); zip the folder again.",), ())
    return Preview((), tuple(problems), ()) if problems else preview_files(files, taken)


def preview_folder(folder: Path, taken: Iterable[str] = ()) -> Preview:
    """What is in an nbgrader course folder on this machine."""
    files: dict[str, bytes] = {}
    source = folder / "source" if (folder / "source").is_dir() else folder
    for path in sorted(source.rglob("*.ipynb")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_UPLOAD_BYTES:
            files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return preview_files(files, taken)


def _unzipped(content: bytes, problems: list[str]) -> dict[str, bytes]:
    """The files of a zip, by name; nothing is unpacked before all names and sizes are known to be fit."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > MAX_FILES:
            problems.append(f"the zip holds over {MAX_FILES} files; zip the folder source alone.")
            return {}
        seen: set[str] = set()
        for entry in entries:
            shown = entry.filename[:100]
            parts = PurePosixPath(entry.filename).parts
            if (
                not parts
                or ".." in parts
                or parts[0] == "/"
                or re.search(r"[\\:\0]", entry.filename)
            ):
                problems.append(f"{shown!a}: leads out of the folder; rename it and zip again.")
            elif stat.S_ISLNK(entry.external_attr >> 16):
                problems.append(f"{shown!a}: is a symbolic link; put the file itself in its place.")
            elif entry.filename in seen:
                problems.append(f"{shown!a}: is in the zip twice; delete one.")
            elif entry.flag_bits & 1:
                problems.append(f"{shown!a}: is encrypted; zip the folder without a password.")
            elif entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                problems.append(f"{shown!a}: is compressed in a rare way; zip with deflate.")
            seen.add(entry.filename)
        if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
            limit = MAX_UNPACKED_BYTES // 2**20
            problems.append(
                f"the zip unpacks to more than {limit} MiB; leave out data and submissions."
            )
        if problems:
            return {}
        return {entry.filename: _read(archive, entry) for entry in entries}


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """At most what is allowed; a notebook that is larger is refused when it is read as one."""
    if not entry.filename.endswith(".ipynb"):
        return b""
    with archive.open(entry) as file:
        return file.read(min(entry.file_size, MAX_UPLOAD_BYTES) + 1)


def preview_files(files: Mapping[str, bytes], taken: Iterable[str] = ()) -> Preview:
    """What would come of these files, by their path in the course's folder."""
    wanted: dict[tuple[str, str], str] = {}
    aside: list[str] = []
    for name in sorted(files):
        found = _assignment_of(name, files)
        if found is None:
            aside.append(name)
        else:
            wanted[found] = name
    if not wanted:
        problem = "no source notebook was found; a course has source/<assignment>/<notebook>.ipynb."
        return Preview((), (problem,), tuple(aside))
    if len(wanted) > MAX_LABS:
        return Preview((), (f"over {MAX_LABS} notebooks; import them in parts.",), tuple(aside))
    counts = [assignment for assignment, _ in wanted]
    used = set(taken)
    labs: list[FoundLab] = []
    for (assignment, notebook), place in wanted.items():
        alone = counts.count(assignment) == 1
        slug = _slug(assignment if alone else f"{assignment}-{notebook}")
        labs.append(_found(slug, place, files[place], used))
        used.add(slug)
    return Preview(tuple(labs), (), tuple(aside))


def _assignment_of(name: str, files: Mapping[str, bytes]) -> tuple[str, str] | None:
    """Assignment and notebook of a path, None for what is no source notebook."""
    parts = PurePosixPath(name).parts
    if not name.endswith(".ipynb") or any(part.startswith((".", "__MACOSX")) for part in parts):
        return None
    stem = PurePosixPath(name).stem
    if len(files) == 1 and len(parts) == 1:
        return stem, stem
    has_source = any("source" in PurePosixPath(other).parts[:-2] for other in files)
    if has_source:
        if "source" not in parts[:-2]:
            return None
        parts = parts[parts.index("source") + 1 :]
    if len(parts) < 2 or (has_source and len(parts) != 2):
        return None
    return parts[-2], stem


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:LONGEST_SLUG].strip("-") or "lab"


def _found(slug: str, place: str, content: bytes, used: set[str]) -> FoundLab:
    problems: list[str] = []
    notes: list[str] = []
    title, points, tests, manual = slug, Decimal(0), 0, 0
    if slug in used:
        problems.append(
            f"{place}: a lab is called {slug!r} already; rename the folder or notebook."
        )
    try:
        content = _without_outputs(content)
        with tempfile.TemporaryDirectory(prefix="gradus-import-") as name:
            folder = Path(name) / slug
            folder.mkdir()
            (folder / f"{slug}.ipynb").write_bytes(content)
            try:
                lab = classic.read_classic(folder)
            except LabError as error:
                raise LabError(str(error).replace(str(folder / f"{slug}.ipynb"), place)) from None
            title, points = lab.title.replace("\0", " "), lab.points
            tests, manual = len(lab.checks), len(lab.manual)
            notes += _notes(folder, place)
    except (LabError, NotebookError) as error:
        problems += [
            line if line.startswith(place) else f"{place}: {line}"
            for line in str(error).split("\n")
        ]
    return FoundLab(
        slug, title, place, content, points, tests, manual, tuple(problems), tuple(notes)
    )


def _notes(folder: Path, place: str) -> list[str]:
    """What will be different here, though nothing keeps the notebook from being graded."""
    cells = [(source, None) for source in classic.source_cells(folder)]
    missing: dict[str, str] = {}
    for source, name, line in classic.imports(cells):
        if name not in INSTALLED and name not in sys.stdlib_module_names:
            missing.setdefault(
                name,
                f"{place}: cell number {source.line}, line {line}: imports {name}, which is not installed "
                "where notebooks are graded; tests that need it fail.",
            )
    opened = [
        f"{place}: cell number {source.line}: reads a file; files beside the notebook do not come along."
        for source, _ in cells
        if source.kind == "code"
        and re.search(r"\b(open|read_csv|loadtxt|np\.load)\(", source.source)
    ]
    return [*missing.values(), *opened]


def _without_outputs(content: bytes) -> bytes:
    """The notebook without what its cells printed, in format 4."""
    if len(content) > 4 * MAX_NOTEBOOK_BYTES:
        raise NotebookError("the notebook is too large; clear its outputs and save it again")
    if len(content) <= MAX_NOTEBOOK_BYTES:
        read_document(content)  # says what is wrong with it
        document: Any = parsed_json(content)
    else:
        try:
            if content.count(b"[") + content.count(b"{") > MAX_VALUES:
                raise NotebookError(
                    "the notebook has too many parts; clear its outputs and save it again"
                )
            document = json.loads(content)
        except (ValueError, RecursionError):
            raise NotebookError("the file is not a notebook") from None
    cells = document.get("cells") if isinstance(document, dict) else None
    for cell in cells if isinstance(cells, list) else ():
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            cell["outputs"], cell["execution_count"] = [], None
    try:
        return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
    except RecursionError:
        raise NotebookError("the notebook is nested too deeply; save it again in Jupyter") from None


def store_labs(preview: Preview, place: Path) -> list[str]:
    """Write the labs of a preview into a folder of labs; all of them, or none.

    Raises:
        LabError: the preview has problems, or a folder of that name exists.
    """
    if not preview.ready:
        raise LabError("The import has problems; nothing was written.")
    place.mkdir(parents=True, exist_ok=True)
    lock = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two instructors at once
        return _stored(preview, place)
    finally:
        os.close(lock)


def _stored(preview: Preview, place: Path) -> list[str]:
    for lab in preview.labs:
        if (place / lab.slug).exists():
            raise LabError(f"{place / lab.slug}: exists already; nothing was written.")
    staged = Path(tempfile.mkdtemp(prefix=".import-", dir=place))
    moved: list[Path] = []
    try:
        for lab in preview.labs:
            folder = staged / lab.slug
            folder.mkdir()
            (folder / f"{lab.slug}.ipynb").write_bytes(lab.notebook)
        for lab in preview.labs:
            (staged / lab.slug).rename(place / lab.slug)
            moved.append(place / lab.slug)
    except BaseException:
        for folder in moved:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return [lab.slug for lab in preview.labs]
