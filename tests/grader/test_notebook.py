"""Answers in and out of notebooks, with nbformat and nbgrader as oracles, and hostile notebooks."""

import copy
import json
import time
import warnings
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import NotebookError
from grader.notebook import MAX_ANSWER_CHARACTERS, reference_answers, restore
from grader.protocol import MAX_NOTEBOOK_BYTES
from labs.catalog import get_lab, read_answers, student_notebook

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nbgrader.nbgraderformat.v3 import MetadataValidatorV3

LAB = get_lab("autodiff")
IDS = [cell.id for cell in LAB.cells if cell.role == "exercise"]
STARTER = {cell.id: cell.source for cell in LAB.cells if cell.role == "exercise"}
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=60)


def document(**changes: str) -> dict[str, Any]:
    """The notebook as a student has it, as a JSON object to be spoiled."""
    made: dict[str, Any] = json.loads(student_notebook(LAB, changes))
    return made


def cell_of(notebook: dict[str, Any], grade_id: str) -> dict[str, Any]:
    return next(cell for cell in notebook["cells"] if cell["id"] == grade_id)


def refusal(content: bytes | str) -> str:
    with pytest.raises(NotebookError) as refused:
        read_answers(LAB, content)
    return str(refused.value)


def test_a_students_notebook_is_valid_for_nbformat_and_nbgrader() -> None:
    content = student_notebook(LAB).decode()
    notebook = nbformat.reads(content, 4)
    nbformat.validate(notebook)
    MetadataValidatorV3().validate_nb(notebook)
    assert nbformat.writes(notebook).rstrip("\n") == content.rstrip("\n")
    points = [
        c.metadata.nbgrader.points
        for c in notebook.cells
        if "points" in c.metadata.get("nbgrader", {})
    ]
    assert sum(points) == LAB.points


def test_no_solution_is_in_a_students_notebook() -> None:
    content = student_notebook(LAB).decode()
    assert "BEGIN SOLUTION" not in content
    for answer in reference_answers(LAB).values():
        assert json.dumps(answer) not in content


@given(st.dictionaries(st.sampled_from(IDS), TEXT))
def test_answers_come_back_as_they_went_in(answers: dict[str, str]) -> None:
    content = student_notebook(LAB, answers)
    assert read_answers(LAB, content) == STARTER | answers
    assert student_notebook(LAB, read_answers(LAB, content)) == content
    assert read_answers(LAB, content.decode()) == STARTER | answers


@given(st.dictionaries(st.sampled_from(IDS), TEXT))
def test_only_exercise_cells_can_change_what_runs(answers: dict[str, str]) -> None:
    cells = restore(LAB, answers)
    assert [cell.id for cell in cells] == [
        cell.id for cell in LAB.cells if cell.role in ("exercise", "setup")
    ]
    for cell in cells:
        assert cell.source == answers.get(cell.id, LAB.cell(cell.id).source)


def test_changes_outside_exercise_cells_are_ignored() -> None:
    notebook = document(dual="mine = 1")
    for cell in notebook["cells"]:
        if cell["id"] != "dual":
            cell["source"] = "raise SystemExit"
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "100 points"}]
    notebook["cells"].insert(0, {"cell_type": "code", "metadata": {}, "source": "evil = 1"})
    notebook["cells"].insert(0, {"cell_type": "raw", "metadata": {"nbgrader": {}}, "source": ""})
    del notebook["cells"][0]["metadata"]["nbgrader"]
    locked = {cell.id: cell.source for cell in LAB.cells if cell.role == "setup"}
    answers = read_answers(LAB, json.dumps(notebook))
    assert answers["dual"] == "mine = 1"
    assert {c.id: c.source for c in restore(LAB, answers) if c.id in locked} == locked


@pytest.mark.parametrize("minor", range(6))
def test_every_minor_version_of_nbformat_4_is_read(minor: int) -> None:
    notebook = document(dual="x = 1\ny = 2")
    notebook["nbformat_minor"] = minor
    for cell in notebook["cells"]:
        if minor < 5:
            del cell["id"]
        cell["source"] = "".join(cell["source"])
    assert read_answers(LAB, json.dumps(notebook))["dual"] == "x = 1\ny = 2"


@pytest.mark.parametrize("version", [1, 2, 3])
def test_nbgrader_metadata_of_versions_1_to_3_is_read(version: int) -> None:
    notebook = document(dual="x = 1")
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] |= {"schema_version": version, "checksum": "0" * 32}
    assert read_answers(LAB, json.dumps(notebook))["dual"] == "x = 1"


def test_windows_line_ends_and_a_byte_order_mark_are_no_obstacle() -> None:
    notebook = document()
    cell_of(notebook, "dual")["source"] = "x = 1\r\ny = 2\rz = 3"
    content = json.dumps(notebook).encode("utf-8-sig")
    assert read_answers(LAB, content)["dual"] == "x = 1\ny = 2\nz = 3"


def spoil(grade_id: str, **changes: object) -> str:
    notebook = document()
    cell_of(notebook, grade_id).update(changes)
    return json.dumps(notebook)


def nbgrader(**changes: object) -> str:
    notebook = document()
    cell_of(notebook, "dual")["metadata"]["nbgrader"].update(changes)
    return json.dumps(notebook)


def whole(**changes: object) -> str:
    return json.dumps(document() | changes)


def without(grade_id: str) -> str:
    notebook = document()
    notebook["cells"].remove(cell_of(notebook, grade_id))
    return json.dumps(notebook)


def twice(grade_id: str) -> str:
    notebook = document()
    notebook["cells"].append(copy.deepcopy(cell_of(notebook, grade_id)))
    return json.dumps(notebook)


HOSTILE = {
    "not JSON": ("nonsense", "not a notebook"),
    "empty": (b"", "not a notebook"),
    "an array": ("[]", "upload the .ipynb"),
    "null": ("null", "upload the .ipynb"),
    "not UTF-8": (b'{"cells": "\xff"}', "not UTF-8 (byte 11)"),
    "UTF-16": (student_notebook(LAB).decode().encode("utf-16"), "not UTF-8"),
    "no cells": (whole(cells=None), "no list of cells"),
    "cells an object": (whole(cells={}), "no list of cells"),
    "too many cells": (whole(cells=[{}] * 2001), "over 2000 cells"),
    "format 3 without cells": (whole(nbformat=3, worksheets=[]), "cell 'dual': is missing"),
    "format 2": (whole(nbformat=2), "format 2.5; save it as format 4"),
    "format 4.6": (whole(nbformat_minor=6), "format 4.6; save it as format 4"),
    "format true": (whole(nbformat=True), "does not say which notebook format"),
    "format text": (whole(nbformat="4"), "does not say which notebook format"),
    "another lab": (whole(metadata={"gradus": {"lab": "optim"}}), "of the lab 'optim'"),
    "a cell missing": (without("dual"), "cell 'dual': is missing"),
    "a cell twice": (twice("dual"), "cell 'dual': is in the notebook twice"),
    "cell is a number": (whole(cells=[7]), "cell number 1: is not an object"),
    "cell of another type": (
        spoil("dual", cell_type="markdown"),
        "cell 'dual': must be a code cell",
    ),
    "source a number": (spoil("dual", source=7), "cell 'dual': its source is not text"),
    "source missing": (spoil("dual", source=None), "cell 'dual': its source is not text"),
    "source mixed": (spoil("dual", source=["x", 1]), "cell 'dual': its source is not text"),
    "NUL": (spoil("dual", source="a\nb\0"), "cell 'dual': has a NUL character on line 2"),
    "lone surrogate": (spoil("dual", source="\ud800"), "cell 'dual': has half a character"),
    "long answer": (
        spoil("dual", source="x" * (MAX_ANSWER_CHARACTERS + 1)),
        "cell 'dual': is longer than 200,000",
    ),
    "metadata a list": (spoil("dual", metadata=[]), "cell 'dual': is missing"),
    "nbgrader a list": (
        spoil("dual", metadata={"nbgrader": []}),
        "its nbgrader metadata is broken",
    ),
    "grade_id a number": (nbgrader(grade_id=1), "grade_id must be a text"),
    "schema version 4": (nbgrader(schema_version=4), "made by a newer nbgrader"),
    "schema version true": (nbgrader(schema_version=True), "run 'nbgrader update'"),
    "deep": ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
    "many parts": ("[" + "[]," * 500_000 + "1]", "too many parts"),
    "a huge number": ('{"nbformat": ' + "9" * 10_000 + "}", "not a notebook"),
    "a key twice": ('{"nbformat": 4, "nbformat": 3}', "has the key 'nbformat' twice"),
    "too large": (b" " * (MAX_NOTEBOOK_BYTES + 1), "larger than 5 MiB"),
    "too large as text": ("ä" * (MAX_NOTEBOOK_BYTES // 2 + 1), "larger than 5 MiB"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_notebook_is_refused_with_cell_and_remedy(name: str) -> None:
    content, said = HOSTILE[name]
    began = time.monotonic()
    assert said in refusal(content)
    assert time.monotonic() - began < 2


def test_all_problems_of_a_notebook_are_told_at_once() -> None:
    notebook = document()
    cell_of(notebook, "dual")["source"] = 7
    cell_of(notebook, "jvp")["source"] = "\0"
    notebook["cells"].remove(cell_of(notebook, "train"))
    problems = refusal(json.dumps(notebook)).split("\n")
    assert len(problems) == 2  # the NUL is looked for in answers that could be read at all
    assert {problem.split(":")[0] for problem in problems} == {"cell 'dual'", "cell 'train'"}


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_sentence(content: bytes) -> None:
    assert refusal(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


def read_or_refused(content: str) -> dict[str, str] | str:
    """The answers, or that they were refused; anything else that is raised fails the test."""
    try:
        return read_answers(LAB, content)
    except NotebookError:
        return "refused"


@given(st.sampled_from(["cells", "metadata", "nbformat", "nbformat_minor"]), JSON)
def test_any_json_in_any_place_is_read_or_refused(place: str, value: Any) -> None:
    notebook = document() | {place: value}
    assert read_or_refused(json.dumps(notebook)) in (STARTER, "refused")


@given(st.sampled_from(IDS), st.sampled_from(["cell_type", "metadata", "source", "outputs"]), JSON)
def test_any_json_in_a_cell_is_read_or_refused(grade_id: str, place: str, value: Any) -> None:
    notebook = document()
    cell_of(notebook, grade_id)[place] = value
    answers = read_or_refused(json.dumps(notebook))
    assert answers == "refused" or set(answers) == set(STARTER)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"setup": "x = 1"}, "cell 'setup': is no exercise cell"),
        ({"check-seeds": ""}, "cell 'check-seeds': is no exercise cell"),
        ({"nowhere\n": ""}, r"cell 'nowhere\n': is no exercise cell"),
        ({"dual": "\0"}, "NUL"),
        ({"dual": "\udfff"}, "half a character"),
        ({"dual": 7}, "is not text"),
        ({"dual": "x" * (MAX_ANSWER_CHARACTERS + 1)}, "is longer"),
    ],
)
def test_answers_that_cannot_be_run_are_refused_everywhere(answers: Any, said: str) -> None:
    for use in (restore, student_notebook):
        with pytest.raises(NotebookError) as refused:
            use(LAB, answers)
        assert said in str(refused.value)


def test_one_key_twice_among_very_many_is_refused_in_a_moment() -> None:
    many = ", ".join(f'"{number:x}": 1' for number in range(200_000))
    began = time.process_time()
    with pytest.raises(NotebookError, match="'30d3f' twice"):
        read_answers(LAB, f'{{{many}, "30d3f": 1}}')
    assert time.process_time() - began < 5  # it took hours
