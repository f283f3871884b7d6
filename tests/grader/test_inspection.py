"""What is said about a notebook before it is handed in."""

import copy
import json
from typing import Any

from grader.api import inspect_submission
from labs.catalog import read_lab, student_notebook
from tests.grader.grading_desk import TINY

LAB = read_lab(TINY)


def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(student_notebook(LAB))
    return made


def cell_of(notebook: dict[str, Any], grade_id: str) -> dict[str, Any]:
    return next(cell for cell in notebook["cells"] if cell["id"] == grade_id)


def told(notebook: Any) -> list[tuple[str, str]]:
    return [(p.effect, str(p)) for p in inspect_submission(LAB, json.dumps(notebook))]


def test_nothing_is_said_about_the_notebook_that_was_handed_out() -> None:
    assert told(document()) == []


def test_a_missing_answer_is_refused_and_a_missing_check_comes_back() -> None:
    notebook = document()
    notebook["cells"].remove(cell_of(notebook, "double"))
    notebook["cells"].remove(cell_of(notebook, "check-double"))
    (refused, restored) = told(notebook)
    assert refused[0] == "refused"
    assert "cell double: is missing" in refused[1]
    assert restored == ("restored", "cell check-double: is missing and comes from the lab")


def test_a_doubled_answer_is_refused_with_both_places() -> None:
    notebook = document()
    notebook["cells"].append(copy.deepcopy(cell_of(notebook, "double")))
    ((effect, text),) = told(notebook)
    assert effect == "refused"
    assert "as cells number 3 and 9" in text


def test_an_edited_locked_cell_is_named() -> None:
    notebook = document()
    cell_of(notebook, "setup")["source"] = "import os"
    ((effect, text),) = told(notebook)
    assert effect == "restored"
    assert "cell setup: is locked but was changed" in text


def test_added_cells_are_listed_with_their_first_line() -> None:
    notebook = document()
    notebook["cells"].insert(
        1, {"cell_type": "code", "metadata": {}, "source": "helper = 1\nmore = 2", "outputs": []}
    )
    notebook["cells"].append({"cell_type": "markdown", "metadata": {}, "source": "my notes"})
    (code, notes) = told(notebook)
    assert code[0] == "left_out"
    assert "cell number 2: is not part of the lab and is not run ('helper = 1')" in code[1]
    assert "'my notes'" in notes[1]


def test_what_is_no_notebook_is_refused_and_nothing_is_raised() -> None:
    (problem,) = inspect_submission(LAB, b"\xff\xfe")
    assert problem.effect == "refused"
    assert "not UTF-8" in problem.text
