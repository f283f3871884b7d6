"""Labs are found, read without being run, cached until they change, and refused with all their faults."""

import hashlib
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from labs.catalog import LabError, find_labs, get_lab, read_lab
from tests.labs.tiny import CHECKS, PAGE, TOML, write_tiny_lab


def faults(folder: Path) -> list[str]:
    with pytest.raises(LabError) as broken:
        read_lab(folder)
    return str(broken.value).split("\n")


def test_a_lab_is_read_with_everything_that_is_public_about_it(tmp_path: Path) -> None:
    lab = read_lab(write_tiny_lab(tmp_path))
    assert (lab.slug, lab.title, lab.week, lab.points) == ("tiny", "Squares", 3, Decimal(5))
    assert lab.limits.check_wall_seconds == 2.5
    assert lab.limits.notebook_wall_seconds == 20
    assert [cell.id for cell in lab.cells] == [
        "prose-1",
        "setup",
        "square",
        "check-squares",
        "check-hidden",
    ]
    assert [cell.role for cell in lab.cells] == ["prose", "setup", "exercise", "check", "check"]
    assert "NotImplementedError" in lab.cell("square").source
    assert lab.cell("check-squares").exercise == "E1"
    assert lab.exercise("E1").checks == ("squares", "hidden")
    hidden = lab.check("hidden")
    assert (hidden.points, hidden.hidden, hidden.needs, hidden.trials) == (3, True, ("squares",), 2)
    assert lab.check("squares").title == "Squares of an array."
    assert lab.papers[0].year == 1999
    with pytest.raises(KeyError):
        lab.cell("nowhere")


def test_reading_a_lab_runs_none_of_its_code(tmp_path: Path) -> None:
    trap = "raise SystemExit('ran')\n"
    page = PAGE.replace("from labkit import check", trap + "from labkit import check")
    read_lab(write_tiny_lab(tmp_path, checks=trap + CHECKS, page=page))


def test_the_catalog_is_read_without_numpy_or_torch() -> None:
    program = "import sys; from labs.catalog import find_labs; find_labs(); "
    program += "print([m for m in ('numpy', 'torch', 'nbformat', 'jupytext') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_hash_is_over_what_can_change_a_score(tmp_path: Path) -> None:
    folder = write_tiny_lab(tmp_path)
    before = read_lab(folder).content_hash
    (folder / "wrong" / "another.py").write_text("")
    (folder / "oracle.py").write_text("")
    os.utime(folder / "lab.py", (1, 1))
    assert read_lab(folder).content_hash == before
    hashes = {before}
    for name in ("lab.toml", "lab.py", "checks.py"):
        text = (folder / name).read_text()
        (folder / name).write_text(text + "\n# changed\n")
        hashes.add(read_lab(folder).content_hash)
    assert len(hashes) == 4
    assert all(len(digest) == len(hashlib.sha256().hexdigest()) for digest in hashes)


def test_an_unchanged_lab_is_read_once_and_an_edited_one_again(tmp_path: Path) -> None:
    folder = write_tiny_lab(tmp_path)
    first = read_lab(folder)
    assert read_lab(folder) is first
    (folder / "lab.toml").write_text(TOML.replace('"Squares"', '"Other squares"'))
    assert read_lab(folder).title == "Other squares"


def test_a_broken_edit_is_noticed_and_mended(tmp_path: Path) -> None:
    folder = write_tiny_lab(tmp_path)
    read_lab(folder)
    (folder / "lab.toml").write_text("title = ")
    assert "lab.toml" in faults(folder)[0]
    (folder / "lab.toml").write_text(TOML)
    assert read_lab(folder).title == "Squares"


def test_labs_of_another_folder_are_found_and_replace_those_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = set(find_labs())
    assert "autodiff" in shipped
    for place in ("one", "two"):
        write_tiny_lab(tmp_path / place, toml=TOML.replace("Squares", f"Squares {place}"))
    monkeypatch.setenv("GRADUS_LABS_PATH", f"{tmp_path / 'one'}{os.pathsep}{tmp_path / 'two'}")
    assert set(find_labs()) == shipped | {"tiny"}
    assert get_lab("tiny").title == "Squares two"
    assert [lab.week for lab in find_labs().values()] == sorted(
        lab.week for lab in find_labs().values()
    )


def test_a_folder_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADUS_LABS_PATH", "/nowhere/at/all")
    with pytest.raises(LabError, match="GRADUS_LABS_PATH: /nowhere/at/all is no folder"):
        find_labs()


def test_an_unknown_lab_is_refused_with_those_there_are() -> None:
    with pytest.raises(LabError, match=r"no lab 'autodif'; found: .*autodiff"):
        get_lab("autodif")


def test_other_labs_may_be_broken_when_one_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny_lab(tmp_path, toml="title = 7")
    monkeypatch.setenv("GRADUS_LABS_PATH", str(tmp_path))
    assert get_lab("autodiff").slug == "autodiff"
    with pytest.raises(LabError, match=r"tiny/lab\.toml"):
        find_labs()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "Squares"', "", "title: is missing; it is a text in quotes"),
        ("week = 3", 'week = "3"', "week: must be a whole number, not '3'"),
        ("week = 3", "week = true", "week: must be a whole number"),
        (
            "points = 5\nzygote",
            "points = -5\nzygote",
            "points: must be a number that is not negative",
        ),
        ("points = 5\nzygote", "points = 6\nzygote", "points = 6, but the exercises add up to 5"),
        ('zygote = "numpy"', 'zygote = "cobol"', "zygote: 'cobol' is unknown; choose one of numpy"),
        ('zygote = "numpy"', 'zygote = "numpy"\ncolour = 1', "colour: unknown; known are title"),
        ('forbid = ["torch"]', 'forbid = ["a b"]', "forbid[0]: must be the name of a package"),
        ("check_wall_seconds = 2.5", "check_wall_seconds = -1", "limits.check_wall_seconds"),
        ("check_wall_seconds = 2.5", "patience = 1", "limits.patience"),
        ("year = 1999", "", "papers[0].year: is missing"),
        ("https://example.org/", "javascript:x", "papers[0].url: must start with https://"),
        ('cells = ["square"]', "cells = []", "exercises[0].cells: must list grade_ids"),
        (
            'cells = ["square"]',
            'cells = ["cube"]',
            "exercises E1: cells: 'cube' is no solution cell",
        ),
        (
            'cells = ["square"]',
            'cells = ["cube"]',
            "exercises: cell 'square' of lab.py belongs to no",
        ),
        (
            'cells = ["square"]',
            'cells = ["square", "square"]',
            "cell 'square' belongs to an earlier",
        ),
        ("points = 5\nminutes", "points = 4\nminutes", "points = 4, but its checks add up to 5"),
        ('id = "E1"', 'id = "E2"', "check squares: exercise 'E1' is not in lab.toml"),
        ("minutes = 10", "minutes = 10 10", "lab.toml: "),
    ],
)
def test_a_fault_in_lab_toml_is_named_with_its_key(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in TOML
    found = faults(write_tiny_lab(tmp_path, toml=TOML.replace(old, new)))
    assert any(said in fault for fault in found), found
    assert all(str(tmp_path) in fault for fault in found)


def test_a_visible_check_cannot_wait_for_a_hidden_one(tmp_path: Path) -> None:
    turned = (
        CHECKS.replace("    hidden=True,\n", "", 1)
        .replace('hint="x times x"', "hidden=True")
        .replace("def hidden", "def seen")
    )
    found = faults(write_tiny_lab(tmp_path, checks=turned))
    assert any("check seen: needs 'squares', which is hidden" in fault for fault in found), found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("points=2", "points=1 + 1 + n", "check squares: points must be a literal"),
        ("points=2", "points=2, colour=3", "check squares: unknown keyword colour"),
        ("points=2", "points=-2", "check squares: points must be a number that is not negative"),
        ("points=2", 'points="two"', "check squares: points must be a number"),
        ("trials=2", "trials=0", "check hidden: trials must be 1 or more"),
        ("hidden=True", 'hidden="yes"', "check hidden: hidden must be True or False"),
        ('needs=("squares",)', 'needs="squares"', "check hidden: needs must be a tuple"),
        ('needs=("squares",)', 'needs=("cubes",)', "check hidden: needs 'cubes'"),
        ('"""A single number."""', "pass", "check hidden: no docstring"),
        ("def hidden", "def other", "check('hidden') is asked for, but checks.py has no such"),
        ("def hidden", "def other", "check('other') must be asked in one check cell; it is in 0"),
        ("def hidden", "def squares", "check squares is defined twice"),
        ("@check(", "@chequ(", "no function is decorated with @check"),
        ("import numpy", "import", "checks.py: "),
    ],
)
def test_a_fault_in_checks_py_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in CHECKS
    found = faults(write_tiny_lab(tmp_path, checks=CHECKS.replace(old, new)))
    assert any(said in fault for fault in found), found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"points": 2', '"points": 4', "cell check-squares: points is 4; write 2"),
        ('check("squares")', 'check("squares")\nprint(1)', 'only check("name") lines may stand'),
        ('check("squares")', 'check("hidden")', "check('hidden') must be asked in one check cell"),
        ("### END SOLUTION", "", "BEGIN SOLUTION without END SOLUTION"),
        (PAGE.split("\n")[5], "# %%", "a code cell without a role"),
        ('"solution": true', '"solution": false', "a solution in a cell without solution: true"),
        (
            '"locked": false, "schema_version": 3, "solution": true',
            '"locked": false, "points": 1, "schema_version": 3, "solution": true',
            "only a graded cell has points",
        ),
    ],
)
def test_a_fault_in_lab_py_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in PAGE
    found = faults(write_tiny_lab(tmp_path, page=PAGE.replace(old, new, 1)))
    assert any(said in fault for fault in found), found


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = write_tiny_lab(tmp_path)
    (folder / "checks.py").unlink()
    assert "checks.py is missing" in faults(folder)[0]


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    toml = TOML.replace("week = 3", "week = 3.5").replace("year = 1999", "")
    found = faults(
        write_tiny_lab(tmp_path, toml=toml, checks=CHECKS.replace("trials=2", "trials=0"), page="x")
    )
    assert len(found) == 4


def test_a_folder_with_capitals_is_no_slug(tmp_path: Path) -> None:
    folder = write_tiny_lab(tmp_path)
    folder.rename(tmp_path / "Tiny")
    assert "folder's name" in faults(tmp_path / "Tiny")[0]
