"""Lint finds a lab that would grade wrongly; the command line says what it found and ends accordingly."""

import json
from pathlib import Path

import pytest

from grader.__main__ import CLEAN, FINDINGS, OUR_SIDE, UNUSABLE, main
from grader.lint import lint
from grader.sandbox.local import LocalSandbox
from labs.catalog import read_lab, student_notebook
from tests.labs.tiny import CHEAT, CHECKS, ORACLE, PAGE, TOML, WRONG, write_tiny_lab


def findings(folder: Path, sandbox: LocalSandbox) -> list[str]:
    return [str(finding) for finding in lint(folder, sandbox, seeds=2).findings]


def test_a_whole_lab_is_clean(tmp_path: Path, sandbox: LocalSandbox) -> None:
    report = lint(write_tiny_lab(tmp_path), sandbox, seeds=2)
    assert [str(finding) for finding in report.findings] == []
    assert report.graded == 2 + 7 + 5 + 3


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "checks",
            "lab.square(x)",
            "np.abs(helper(x))",
            "uses helper, which does not exist in the jail",
        ),
        ("checks", "lab.square(x)", "lab.square(random.random())", "check squares: uses random"),
        (
            "checks",
            'return {"square": lab.square(x)',
            'import os\n    return {"square": lab.square(x)',
            "imports in its body",
        ),
        (
            "checks",
            "import numpy as np",
            "import numpy as np\nimport scipy",
            "checks.py:2: imports scipy",
        ),
        ("checks", 'hint="x times x"', 'hint=""', "check squares: no hint"),
        ("checks", "squares(lab, x)", "squares(notebook, x)", "the first parameter is not lab"),
        ("checks", '{"x": float(rng.uniform(1, 2))}', '{"y": 1.0}', "hidden"),
        ("checks", "lab.square(-x)", "0.0", "returning None earns 3 points"),
        (
            "page",
            "from labkit import check",
            "from labkit import check\nimport scipy",
            "lab.py:8: imports scipy",
        ),
        ("page", "### BEGIN SOLUTION", "# no region", "a solution cell without a solution region"),
        ("oracle", "sum([n] * n)", "n + 1000", "oracle.py:4: by_addition, seed 0: AssertionError"),
    ],
)
def test_a_lab_that_grades_wrongly_is_found_out(
    tmp_path: Path, sandbox: LocalSandbox, file: str, old: str, new: str, said: str
) -> None:
    texts = {"checks": CHECKS, "page": PAGE, "oracle": ORACLE}
    assert old in texts[file]
    text = texts[file].replace(old, new)
    if new == "# no region":
        text = text.replace("    ### END SOLUTION\n", "")
    if new == "0.0":
        text = text.replace('needs=("squares",),', "")
    found = findings(write_tiny_lab(tmp_path, **{file: text}), sandbox)
    assert any(said in finding for finding in found), found


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("wrong", WRONG.format(about="Right.", expression="x * x"), "squares ends with passed, not with failed"),
        ("wrong", WRONG.format(about="Crash.", expression="x.y"), "squares ends with error"),
        ("wrong", WRONG.replace("# caught by", "# seen by").format(about="a", expression="0"), "does not say what catches it"),
        ("wrong", WRONG.replace("squares, ", "cubes, ").format(about="a", expression="0"), "caught by 'cubes', which is no check"),
        ("wrong", WRONG.replace("(not_reached)", "(sad)").format(about="a", expression="0"), "write 'check' or 'check (verdict)'"),
        ("wrong", WRONG.replace("# hint", "# note").format(about="a", expression="0"), "has no hint"),
        ("wrong", WRONG.replace("%% square", "%% cube").format(about="a", expression="0"), "replaces 'cube', which is no exercise cell"),
        ("wrong", "x = 1\n# %% square\n", "no docstring"),
        ("cheats", CHEAT.format(expression="x * x"), "the cheat earns 2 points in squares"),
        ("cheats", "def f(:\n", "must be Python"),
    ],
)  # fmt: skip
def test_a_mistake_or_cheat_that_is_not_caught_is_found_out(
    tmp_path: Path, sandbox: LocalSandbox, kind: str, text: str, said: str
) -> None:
    folder = write_tiny_lab(tmp_path)
    (folder / kind / "new.py").write_text(text)
    found = findings(folder, sandbox)
    assert any(said in finding for finding in found), found
    assert all(str(folder / kind / "new.py") in finding for finding in found)


def test_a_check_without_a_mistake_is_found_out(tmp_path: Path, sandbox: LocalSandbox) -> None:
    folder = write_tiny_lab(tmp_path)
    for path in (folder / "wrong").glob("*.py"):
        path.write_text(path.read_text().replace(", hidden (not_reached)", ""))
    (found,) = findings(folder, sandbox)
    assert "check hidden: no file of wrong/ says that it catches it" in found


def test_too_few_mistakes_are_found_out(tmp_path: Path, sandbox: LocalSandbox) -> None:
    folder = write_tiny_lab(tmp_path)
    (folder / "cheats" / "cheat_0.py").unlink()
    assert "fewer than 3 files" in findings(folder, sandbox)[0]


def test_the_command_says_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", str(write_tiny_lab(tmp_path)), "--seeds", "1"]) == CLEAN
    assert "clean (16 gradings" in capsys.readouterr().out


def test_the_command_lists_findings_as_text_and_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_tiny_lab(tmp_path, toml=TOML.replace("week = 3", "week = -3"))
    assert main(["lint", str(folder)]) == FINDINGS
    assert f"{folder}/lab.toml: week: must be a whole number" in capsys.readouterr().out
    assert main(["lint", str(folder), "--json"]) == FINDINGS
    told = json.loads(capsys.readouterr().out)
    assert not told["clean"]
    assert told["findings"][0]["file"] == f"{folder}/lab.toml"


def test_a_notebook_is_graded_without_a_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_tiny_lab(tmp_path)
    answer = "def square(x):\n    return x + x"
    notebook = tmp_path / "mine.ipynb"
    notebook.write_bytes(student_notebook(read_lab(folder), {"square": answer}))
    assert main(["grade", str(folder), str(notebook)]) == CLEAN
    told = capsys.readouterr().out
    assert "failed" in told
    assert "0 of 5 points" in told
    answer = answer.replace("x + x", "x * x")
    notebook.write_bytes(student_notebook(read_lab(folder), {"square": answer}))
    assert main(["grade", str(folder), str(notebook), "--json", "--seed", "7"]) == CLEAN
    assert json.loads(capsys.readouterr().out)["score"] == "5"


@pytest.mark.parametrize("content", ["not a notebook", None])
def test_a_notebook_that_cannot_be_read_is_refused(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = tmp_path / "mine.ipynb"
    if content is not None:
        notebook.write_text(content)
    assert main(["grade", str(write_tiny_lab(tmp_path)), str(notebook)]) == UNUSABLE
    assert "ipynb" in capsys.readouterr().err


def test_a_folder_that_is_no_lab_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grade", str(tmp_path), "x.ipynb"]) == UNUSABLE
    assert "is missing" in capsys.readouterr().err


def test_an_oracle_that_needs_what_is_not_installed_is_left_out_and_said_to_be(
    tmp_path: Path, sandbox: LocalSandbox
) -> None:
    folder = write_tiny_lab(tmp_path)
    oracle = folder / "oracle.py"
    oracle.write_text(
        oracle.read_text() + "\n\nNEEDS = {'by_somebody': ('nobody_wrote_this',)}\n\n\n"
        "def by_somebody(lab, rng):\n    import nobody_wrote_this\n"
    )
    report = lint(folder, sandbox, seeds=1)
    assert [str(finding) for finding in report.findings] == []
    assert report.notes == ["nobody_wrote_this is not installed; left out: by_somebody"]


def test_lint_wants_names_or_all_and_not_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint"]) == UNUSABLE
    assert main(["lint", "--all", "labs/autodiff"]) == UNUSABLE
    assert capsys.readouterr().err.count("Name the folders of labs, or say --all") == 2


def test_a_wall_that_this_host_cannot_build_is_told_with_its_own_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    notebook = tmp_path / "notebook.ipynb"
    folder = write_tiny_lab(tmp_path)
    notebook.write_bytes(student_notebook(read_lab(folder)))
    assert main(["grade", str(folder), str(notebook), "--wall", "docker"]) == OUR_SIDE
    assert "This host cannot grade" in capsys.readouterr().err
