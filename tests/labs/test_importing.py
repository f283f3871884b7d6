"""nbgrader courses and notebooks as labs: what is found, what is refused, and nothing before its time."""

import io
import json
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from grader.errors import LabError
from labs.catalog import read_lab
from labs.importing import preview_folder, preview_upload, store_labs
from tests.grader.classic_desk import SUMS

NOTEBOOK = (SUMS / "sums.ipynb").read_bytes()
ROOT = Path(__file__).resolve().parents[2]


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


COURSE = {
    "course/nbgrader_config.py": b"c = get_config()",
    "course/gradebook.db": b"SQLite",
    "course/source/ps1/problem1.ipynb": NOTEBOOK,
    "course/source/ps1/problem 2.ipynb": NOTEBOOK,
    "course/source/PS2/only.ipynb": NOTEBOOK,
    "course/source/ps1/.ipynb_checkpoints/problem1-checkpoint.ipynb": NOTEBOOK,
    "course/source/header.ipynb": NOTEBOOK,
    "course/release/ps1/problem1.ipynb": NOTEBOOK,
    "course/submitted/student/ps1/problem1.ipynb": NOTEBOOK,
}


def test_each_source_notebook_of_a_course_becomes_a_lab_of_its_own() -> None:
    preview = preview_upload("course.zip", zipped(COURSE))
    assert preview.ready, preview
    assert [lab.slug for lab in preview.labs] == ["ps2", "ps1-problem-2", "ps1-problem1"]
    assert {(float(lab.points), lab.tests, lab.manual) for lab in preview.labs} == {(15, 5, 2)}
    assert len(preview.left_aside) == 6


def test_a_single_notebook_and_a_folder_without_source_are_found() -> None:
    assert [lab.slug for lab in preview_upload("My PS.ipynb", NOTEBOOK).labs] == ["my-ps"]
    found = preview_upload("x.zip", zipped({"ps1/a.ipynb": NOTEBOOK}))
    assert [lab.slug for lab in found.labs] == ["ps1"]


def spoiled(**changes: Any) -> bytes:
    document = json.loads(NOTEBOOK)
    document["cells"][3] |= changes
    return json.dumps(document).encode()


def test_problems_name_file_and_cell_and_nothing_is_ready() -> None:
    broken = spoiled(source="### BEGIN SOLUTION\nx = 1")
    preview = preview_upload("x.zip", zipped({"source/ps1/a.ipynb": broken}))
    assert not preview.ready
    (problem,) = preview.labs[0].problems
    assert problem.startswith("source/ps1/a.ipynb: cell number 4: BEGIN SOLUTION without END")


def test_a_package_that_is_not_installed_is_told_beforehand() -> None:
    preview = preview_upload("a.ipynb", spoiled(source="import math\nimport pandas as pd"))
    assert preview.ready
    assert "cell number 4, line 2: imports pandas" in preview.labs[0].notes[0]


def test_a_name_that_is_taken_is_a_problem() -> None:
    assert not preview_upload("autodiff.ipynb", NOTEBOOK, taken=["autodiff"]).ready


def symbolic_link() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo("source/ps1/a.ipynb")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return packed.getvalue()


def doubled() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("source/ps1/a.ipynb", NOTEBOOK)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("source/ps1/a.ipynb", NOTEBOOK)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped({"../../etc/a.ipynb": NOTEBOOK}), "leads out of the folder"),
        (zipped({"/etc/a.ipynb": NOTEBOOK}), "leads out of the folder"),
        (zipped({"..\\a.ipynb": NOTEBOOK}), "leads out of the folder"),
        (symbolic_link(), "is a symbolic link"),
        (zipped({f"f{n}": b"" for n in range(3001)}), "over 3000 files"),
        (zipped({f"b{n}": bytes(30 * 2**20) for n in range(4)}), "unpacks to more than 100 MiB"),
        (b"PK\x05\x06 nothing", "is no .zip and no .ipynb"),
        (b"nothing", "is no .zip and no .ipynb"),
        (zipped({"a.txt": b""}), "no source notebook was found"),
        (bytes(21 * 2**20), "is larger than 20 MiB"),
        (zipped(COURSE)[:-40], "is no .zip"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_zip_is_refused_before_anything_is_unpacked(content: bytes, said: str) -> None:
    preview = preview_upload("course.zip", content)
    assert not preview.ready
    assert said in preview.problems[0]


def test_a_file_that_is_twice_in_a_zip_is_refused() -> None:
    assert "is in the zip twice" in preview_upload("c.zip", doubled()).problems[0]


def test_a_zip_that_lies_about_a_size_is_refused() -> None:
    content = bytearray(zipped({"source/ps1/a.ipynb": NOTEBOOK}))
    place = content.rindex(b"PK\x01\x02") + 24  # of the uncompressed size
    content[place : place + 4] = (10).to_bytes(4, "little")
    assert not preview_upload("c.zip", bytes(content)).ready


def test_stored_labs_are_labs_without_outputs(tmp_path: Path) -> None:
    printed = spoiled(outputs=[{"output_type": "stream", "name": "stdout", "text": "much"}])
    preview = preview_upload("ps1.ipynb", printed)
    assert store_labs(preview, tmp_path / "labs") == ["ps1"]
    lab = read_lab(tmp_path / "labs" / "ps1")
    assert (lab.kind, lab.points) == ("classic", 15)
    assert "much" not in (tmp_path / "labs" / "ps1" / "ps1.ipynb").read_text()
    assert {path.name for path in (tmp_path / "labs").iterdir()} == {"ps1"}


def test_all_labs_of_an_import_are_stored_or_none(tmp_path: Path) -> None:
    (tmp_path / "ps1-problem1").mkdir()
    with pytest.raises(LabError, match="exists already; nothing was written"):
        store_labs(preview_upload("course.zip", zipped(COURSE)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["ps1-problem1"]


def test_a_course_folder_is_imported_on_the_command_line(tmp_path: Path) -> None:
    for name, content in COURSE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    command = [sys.executable, "-m", "grader", "import-nbgrader", str(tmp_path / "course")]
    looked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "ps1-problem1: Sums and means (15 points, 5 tests, 2 by hand)" in looked.stdout
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "labs")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "labs").iterdir()} == {
        "ps2",
        "ps1-problem-2",
        "ps1-problem1",
    }
    assert len(preview_folder(tmp_path / "course").labs) == 3


def deep(levels: int) -> bytes:
    """A large notebook, with a value that its reader can nest deeper than a writer."""
    document = json.loads(NOTEBOOK)
    document["cells"][2]["outputs"] = ["x" * 6_000_000]
    text = json.dumps(document)
    return text.replace(
        '"metadata": {', '"metadata": {"x": ' + "[" * levels + "]" * levels + ", ", 1
    ).encode()


HOSTILE_NOTEBOOKS = {
    "wide": json.dumps({"cells": [[] for _ in range(3_000_000)]}).encode(),
    "deep": deep(900),
    "deeper": deep(100_000),
    "fifty megabytes": b" " * (50 * 2**20),
    "nothing": b"",
    "no object": b"[]",
    "cells that are none": b'{"cells": [1, null, {"cell_type": "code"}], "nbformat": 4}',
    "half characters": b'{"cells": [{"cell_type": "\\ud800"}], "nbformat": 4, "metadata": {}}',
}


@pytest.mark.parametrize("name", HOSTILE_NOTEBOOKS)
def test_a_hostile_notebook_is_a_problem_and_not_an_error(name: str) -> None:
    assert not preview_upload("it.ipynb", HOSTILE_NOTEBOOKS[name]).ready
    assert not preview_upload("it.zip", zipped({"ps1/it.ipynb": HOSTILE_NOTEBOOKS[name]})).ready


def broken_zip(at: int) -> bytes:
    content = bytearray(zipped({"ps1/it.ipynb": NOTEBOOK}))
    content[at] ^= 0xFF
    return bytes(content)


@pytest.mark.parametrize("at", [0, 6, 8, 10, 14, 30, 45, 60, 200, -10, -14, -40, -60])
def test_a_zip_that_is_damaged_anywhere_is_read_or_refused(at: int) -> None:
    preview = preview_upload("it.zip", broken_zip(at))
    assert preview.ready or preview.problems or any(lab.problems for lab in preview.labs)


@pytest.mark.parametrize("kind", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_rare_ways_of_compressing_are_refused(kind: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", kind) as archive:
        archive.writestr("ps1/it.ipynb", NOTEBOOK)
    assert "rare way" in preview_upload("it.zip", packed.getvalue()).problems[0]


def test_ten_thousand_entries_are_counted_before_they_are_read() -> None:
    many = zipped({f"ps{n}/a.txt": b"" for n in range(10_000)})
    assert "over 3000 files" in preview_upload("it.zip", many).problems[0]


def test_two_who_import_the_same_at_once_do_not_mix(tmp_path: Path) -> None:
    first = preview_upload("x.zip", zipped({"a/a.ipynb": NOTEBOOK, "b/b.ipynb": NOTEBOOK}))
    second = preview_upload("x.zip", zipped({"b/b.ipynb": NOTEBOOK, "c/c.ipynb": NOTEBOOK}))
    done: list[str] = []

    def store(preview: Any) -> None:
        try:
            done.extend(store_labs(preview, tmp_path))
        except LabError:
            done.append("refused")

    threads = [threading.Thread(target=store, args=(each,)) for each in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done.count("refused") == 1
    found = sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("."))
    assert found in (["a", "b"], ["b", "c"])
