"""The student's version of a lab: nbgrader's own, runs in plain Jupyter, and says what the site says."""

import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from grader.notebook import reference_answers
from grader.percent import CODE_STUB
from grader.release import release, released_notebook
from labs.catalog import Lab, get_lab, read_answers, read_lab, student_notebook
from tests.grader.classic_desk import SUMS
from tests.grader.grading_desk import TINY
from tests.labs.tiny import write_tiny_lab

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nbgrader.nbgraderformat import MetadataValidator
    from nbgrader.utils import compute_checksum

LABS = [get_lab("autodiff"), read_lab(TINY), read_lab(SUMS)]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)
def test_what_is_released_and_what_the_site_serves_have_the_same_cells_and_answers(
    lab: Lab,
) -> None:
    released = nbformat.reads(released_notebook(lab).decode(), 4)
    nbformat.validate(released)
    MetadataValidator().validate_nb(released)
    served = json.loads(student_notebook(lab))
    assert [(c.cell_type, c.source) for c in released.cells] == [
        (c["cell_type"], "".join(c["source"])) for c in served["cells"]
    ]
    assert read_answers(lab, released_notebook(lab)) == read_answers(lab, student_notebook(lab))


@pytest.mark.slow
def test_the_released_notebook_is_that_of_nbgraders_generate_assignment(tmp_path: Path) -> None:
    source = tmp_path / "source" / "sums" / "sums.ipynb"
    source.parent.mkdir(parents=True)
    source.write_bytes((SUMS / "sums.ipynb").read_bytes())
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    subprocess.run(
        [
            sys.executable,
            "-m",
            "nbgrader",
            "generate_assignment",
            "sums",
            f"--course-dir={tmp_path}",
        ],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
    )
    theirs = nbformat.read(tmp_path / "release" / "sums" / "sums.ipynb", 4)
    ours = nbformat.reads(released_notebook(read_lab(SUMS)).decode(), 4)
    for mine, other in zip(ours.cells, theirs.cells, strict=True):
        assert (mine.cell_type, mine.source) == (other.cell_type, other.source)
        their_metadata = dict(other.metadata.get("nbgrader", {}))
        if not (their_metadata.get("grade") or their_metadata.get("task")):
            their_metadata.pop("points", None)
        assert dict(mine.metadata.get("nbgrader", {})) == their_metadata
        if "nbgrader" in mine.metadata and mine.metadata.nbgrader.get("checksum"):
            assert mine.metadata.nbgrader.checksum == compute_checksum(mine)
        if not their_metadata.get("task"):  # a task is answered in its own cell
            assert mine.metadata.get("editable") == other.metadata.get("editable")
        assert mine.metadata.get("deletable") == other.metadata.get("deletable")


@pytest.fixture(scope="module")
def tiny_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    release(read_lab(TINY), folder)
    return folder


def run_in_jupyter(folder: Path, answers: Mapping[str, str]) -> dict[str, str]:
    """Cell → what it printed, in a real kernel started in the release's folder."""
    notebook = nbformat.read(next(folder.glob("*.ipynb")), 4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    client = NotebookClient(
        notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=environment | {"IPYTHONDIR": str(folder / ".ipython")})
    return {cell.id: printed(cell) for cell in notebook.cells if cell.cell_type == "code"}


def printed(cell: Any) -> str:
    texts = [
        output.get("text", "") or f"{output.get('ename')}: {output.get('evalue')}"
        for output in cell.outputs
    ]
    return "".join(texts)


def test_right_answers_pass_the_public_trials_in_a_real_kernel(tiny_release: Path) -> None:
    said = run_in_jupyter(tiny_release, reference_answers(read_lab(TINY)))
    assert said["check-double"].startswith("✓ doubles: Every element is doubled.")
    assert "3 public trials passed" in said["check-double"]
    assert "✓ totals" in said["check-total"]
    assert "– totals_hidden: The sum of more elements.\n  It is hidden" in said["check-total"]
    assert "More than one answer is right" in said["check-root"]


def test_a_wrong_answer_is_told_as_the_referee_tells_it(tiny_release: Path) -> None:
    wrong = {
        "double": "def double(x):\n    return 2 * x + (x > 1e9)\n\ndef double(x):\n    return 3 * x"
    }
    text = run_in_jupyter(tiny_release, reference_answers(read_lab(TINY)) | wrong)["check-double"]
    assert text.startswith("✗ doubles")
    assert re.search(r"public trial 1 of 3: y\[0, 0\] is \S+; \S+ is expected", text)
    assert "relative error 0.5" in text
    assert "return {'y': lab.double(x)}" in text
    assert "x = np.array([[" in text


def test_what_was_asked_makes_the_failure_again(tiny_release: Path) -> None:
    wrong = reference_answers(read_lab(TINY)) | {"double": "def double(x):\n    return 3 * x"}
    text = run_in_jupyter(tiny_release, wrong)["check-double"]
    inputs = "\n".join(line.strip() for line in text.split("with:\n")[1].splitlines())
    namespace: dict[str, Any] = {}
    exec(f"import numpy as np\n{inputs}", namespace)
    got = float(re.search(r"y\[0, 0\] is (\S+);", text)[1])  # type: ignore[index]
    assert 3 * namespace["x"][0, 0] == got


def test_a_part_that_is_not_written_yet_says_so(tiny_release: Path) -> None:
    assert "NotImplementedError" in run_in_jupyter(tiny_release, {})["check-double"]


def test_a_changed_input_fails_in_jupyter_as_it_does_when_graded(tiny_release: Path) -> None:
    changes = "def double(x):\n    x *= 2\n    return x.copy()"
    answers = reference_answers(read_lab(TINY)) | {"double": changes}
    assert "an input was changed" in run_in_jupyter(tiny_release, answers)["check-double"]


def test_the_release_holds_no_solution_no_hidden_body_and_no_oracle(tiny_release: Path) -> None:
    document = json.loads((tiny_release / "checks.json").read_text())
    assert {name for name, check in document["checks"].items() if check["trials"]} == {
        "doubles",
        "totals",
    }
    assert "body" not in document["checks"]["totals_hidden"]
    text = "".join(
        path.read_text() for path in tiny_release.rglob("*") if path.suffix in (".ipynb", ".json")
    )
    assert "-np.sqrt" not in text
    assert CODE_STUB.split("\n")[0] in text


@pytest.mark.slow
def test_the_shipped_labs_reference_passes_its_own_public_trials(tmp_path: Path) -> None:
    lab = get_lab("autodiff")
    release(lab, tmp_path)
    said = "".join(run_in_jupyter(tmp_path, reference_answers(lab)).values())
    assert "✗" not in said
    assert said.count("✓") == len(
        [
            c
            for c in json.loads((tmp_path / "checks.json").read_text())["checks"].values()
            if c["trials"]
        ]
    )


PUBLIC_VERIFY = """import numpy as np

from grader.checks import check


def _verify(inputs, outputs):
    return None if np.allclose(outputs["square"], inputs["x"] ** 2) else "it is not the square"


@check(exercise="E1", points=2, inputs=lambda rng: {"x": rng.standard_normal(3)}, hint="h",
       verify=_verify, public_verify=True)
def squares(lab, x):
    "Squares of an array."
    return {"square": lab.square(x)}


@check(exercise="E1", points=3, inputs=lambda rng: {"x": 2.0}, hidden=True, hint="h")
def hidden(lab, x):
    "A single number."
    return {"square": lab.square(-x)}
"""


def test_a_verify_is_released_only_where_the_lab_makes_it_public(tmp_path: Path) -> None:
    lab = read_lab(write_tiny_lab(tmp_path, checks=PUBLIC_VERIFY))
    release(lab, tmp_path / "out")
    right = run_in_jupyter(tmp_path / "out", reference_answers(lab))
    assert right["check-squares"].startswith("✓ squares")
    wrong = run_in_jupyter(tmp_path / "out", {"square": "def square(x):\n    return x"})
    assert "public trial 1 of 1: it is not the square" in wrong["check-squares"]


def test_release_on_the_command_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grader", "release", str(TINY), "-o", str(tmp_path / "out")],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "tiny.ipynb").exists()
    assert (tmp_path / "out" / "labkit" / "asking.py").exists()
