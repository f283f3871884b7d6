"""Every shipped lab in real jails: the reference passes, every mistake is caught, no cheat earns a point.

What holds for each lab is tested here, once. A lab's own file has what only it can say: the numbers of its
handout, and wrong solutions that are not shipped with it.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from grader.lint import import_file, oracle_functions
from grader.mistakes import read_mistake
from grader.protocol import Verdict
from labs.catalog import HOME, find_labs, get_lab
from tests.labs.conftest import LinterOf

LABS = sorted(slug for slug, lab in find_labs().items() if lab.folder.parent == HOME)
FILES = [path for slug in LABS for path in sorted((HOME / slug).glob("wrong/*.py"))]
CHEATS = [path for slug in LABS for path in sorted((HOME / slug).glob("cheats/*.py"))]
PROOFS = [
    (slug, name)
    for slug in LABS
    for name in oracle_functions(import_file(HOME / slug / "oracle.py"))
]


def told(path: Path) -> str:
    return f"{path.parents[1].name}-{path.stem}"


@pytest.mark.parametrize("slug", LABS)
def test_it_is_worth_a_hundred_points_of_which_some_are_hidden(slug: str) -> None:
    lab = get_lab(slug)
    assert lab.points == 100 == sum(exercise.points for exercise in lab.exercises)
    hidden = sum(check.points for check in lab.checks if check.hidden)
    assert 15 <= hidden <= 60


@pytest.mark.parametrize("slug", LABS)
def test_enough_mistakes_and_cheats_are_shipped(slug: str) -> None:
    assert len([path for path in FILES if path.parents[1].name == slug]) >= 8
    assert len([path for path in CHEATS if path.parents[1].name == slug]) >= 3


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("slug", LABS)
def test_the_reference_passes_every_check(linter_of: LinterOf, slug: str, seed: int) -> None:
    lab = linter_of(slug)
    report = lab.grade(lab.reference, seed)
    assert {r.check: r.message for r in report.results if r.verdict is not Verdict.PASSED} == {}
    assert report.score == report.max_score == 100
    assert not report.unsafe


@pytest.mark.parametrize("slug", LABS)
def test_starter_and_null_answers_earn_nothing(linter_of: LinterOf, slug: str) -> None:
    assert [str(finding) for finding in linter_of(slug).null_findings()] == []


@pytest.mark.parametrize("path", FILES, ids=told)
def test_a_mistake_fails_the_check_that_is_about_it(linter_of: LinterOf, path: Path) -> None:
    lab = linter_of(path.parents[1].name)
    assert [str(finding) for finding in lab.wrong_findings(read_mistake(path))] == []


@pytest.mark.parametrize("path", CHEATS, ids=told)
def test_a_cheat_earns_nothing(linter_of: LinterOf, path: Path) -> None:
    lab = linter_of(path.parents[1].name)
    assert [str(finding) for finding in lab.cheat_findings(read_mistake(path))] == []


@pytest.mark.parametrize(("slug", "name"), PROOFS)
def test_the_oracle_confirms_the_reference(linter_of: LinterOf, slug: str, name: str) -> None:
    oracle = import_file(HOME / slug / "oracle.py")
    for module in getattr(oracle, "NEEDS", {}).get(name, ()):
        pytest.importorskip(module, reason=f"{module} is not installed (extra oracles)")
    for seed in range(3):
        getattr(oracle, name)(linter_of(slug).referee.reference, np.random.default_rng(seed))


@pytest.mark.parametrize("slug", LABS)
def test_the_notebook_source_runs_from_top_to_bottom_in_plain_python(slug: str) -> None:
    done = subprocess.run(
        [sys.executable, str(HOME / slug / "lab.py")],
        env={"PYTHONPATH": os.pathsep.join([str(HOME)]), "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("slug", LABS)
def test_every_picture_of_the_prose_is_there_and_says_what_it_shows(slug: str) -> None:
    import re

    pictures = [
        found
        for cell in get_lab(slug).cells
        if cell.kind == "markdown"
        for found in re.findall(r"!\[([^\]]*)\]\((\S+)\)", cell.source)
    ]
    assert pictures
    for caption, name in pictures:
        assert (HOME / slug / name).is_file(), name
        assert len(caption) > 20, name
