"""nbgrader's metadata of every version and notebooks of every origin; nbgrader and nbformat are the oracles."""

import copy
import json
import warnings
from typing import Any

import nbformat
import pytest
from nbformat.notebooknode import from_dict

from grader.document import read_document
from grader.errors import NotebookError
from grader.metadata import CellMetadata, read_metadata

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nbgrader.nbgraderformat.v3 import MetadataValidatorV3

FLAGS = {"grade": False, "solution": False, "locked": False}
OLD = [
    {},
    {"grade_id": "a"},
    {"grade": True, "grade_id": "a"},
    {"grade": True, "grade_id": "a", "points": ""},
    {"grade": True, "grade_id": "a", "points": "2.5"},
    {"grade": True, "grade_id": "a", "points": -3},
    {"grade": True, "solution": True, "grade_id": "a", "points": 4, "junk": [1]},
    {"solution": True, "grade_id": "a", "points": 9},
    {"locked": True, "grade_id": "a"},
    FLAGS | {"schema_version": 1},
    FLAGS | {"schema_version": 1, "grade": True, "grade_id": "a", "points": 2},
    FLAGS | {"schema_version": 1, "solution": True, "grade_id": "a", "checksum": "0" * 32},
    FLAGS | {"schema_version": 2, "locked": True, "grade_id": "a", "cell_type": "code"},
    FLAGS | {"schema_version": 2, "grade": True, "grade_id": "a", "points": 0.5},
    FLAGS | {"schema_version": 3, "grade": True, "grade_id": "a", "points": 3},
    FLAGS | {"schema_version": 3, "task": True, "grade_id": "a", "points": 3},
]


def read(nbgrader: Any, kind: str = "code") -> tuple[CellMetadata | None, list[str]]:
    problems: list[str] = []
    return read_metadata({"nbgrader": nbgrader}, kind, problems), problems


@pytest.mark.parametrize("metadata", OLD, ids=str)
def test_old_metadata_means_what_nbgraders_own_upgrade_makes_of_it(
    metadata: dict[str, Any],
) -> None:
    kind = "markdown" if metadata.get("task") else "code"
    cell = nbformat.v4.new_code_cell() if kind == "code" else nbformat.v4.new_markdown_cell()
    cell.metadata.nbgrader = from_dict(copy.deepcopy(metadata))
    upgraded = MetadataValidatorV3().upgrade_cell_metadata(cell).metadata.get("nbgrader")
    ours, problems = read(metadata, kind)
    assert problems == []
    if upgraded is None or not any(upgraded.get(f) for f in (*FLAGS, "task")):
        assert ours is None
        return
    assert ours is not None
    assert (ours.grade_id, ours.grade, ours.solution, ours.locked, ours.task) == (
        upgraded.grade_id,
        upgraded.grade,
        upgraded.solution,
        upgraded.locked,
        upgraded.get("task", False),
    )
    if ours.grade:
        assert float(ours.points) == upgraded.points


@pytest.mark.parametrize(
    ("metadata", "kind", "said"),
    [
        ({"schema_version": 4}, "code", "made by a newer nbgrader: save it with nbgrader 0.9"),
        ({"schema_version": True}, "code", "run 'nbgrader update'"),
        ({"schema_version": "3"}, "code", "run 'nbgrader update'"),
        ([], "code", "must be a table"),
        ({"grade": "yes", "grade_id": "a"}, "code", "grade must be true or false, not 'yes'"),
        ({"grade": True, "grade_id": 7}, "code", "grade_id must be a text"),
        ({"grade": True}, "code", "grade_id is missing"),
        ({"grade": True, "grade_id": "a b"}, "code", "1–64 letters"),
        ({"grade": True, "grade_id": "a", "points": "many"}, "code", "points must be a number"),
        ({"grade": True, "grade_id": "a", "points": float("nan")}, "code", "must be a number"),
        ({"solution": True, "locked": True, "grade_id": "a"}, "code", "nobody could answer it"),
        (
            {"schema_version": 3, "grade": True, "grade_id": "a"},
            "code",
            "is graded but has no points",
        ),
        (
            {"schema_version": 3, "grade": True, "grade_id": "a", "points": -1},
            "code",
            "must not be negative",
        ),
        ({"task": True, "grade_id": "a"}, "code", "a task must be a markdown cell"),
        ({"grade": True, "grade_id": "a", "points": 1}, "markdown", "graded by hand"),
    ],
)
def test_metadata_that_contradicts_itself_is_refused_with_a_remedy(
    metadata: Any, kind: str, said: str
) -> None:
    found, problems = read(metadata, kind)
    assert found is None
    assert len(problems) == 1
    assert said in problems[0]


def test_a_notebook_of_format_3_is_read_as_nbformat_converts_it() -> None:
    v3 = nbformat.v3
    old = v3.new_notebook(
        worksheets=[
            v3.new_worksheet(
                cells=[
                    v3.new_heading_cell("Sums\nand more", level=2),
                    v3.new_text_cell("markdown", "some *prose*"),
                    v3.new_code_cell("x = 1\nx", metadata={"nbgrader": {"grade_id": "a"}}),
                ]
            ),
            v3.new_worksheet(cells=[v3.new_code_cell("y = 2")]),
        ]
    )
    text = v3.writes_json(old)
    converted = nbformat.reads(text, 4)
    ours = read_document(text).cells
    assert [(c.kind, c.source) for c in ours] == [(c.cell_type, c.source) for c in converted.cells]
    assert ours[2].metadata["nbgrader"] == {"grade_id": "a"}


COLAB = {
    "nbformat": 4,
    "nbformat_minor": 0,
    "metadata": {"colab": {"provenance": []}, "kernelspec": {"name": "python3"}},
    "cells": [
        {
            "cell_type": "code",
            "source": ["x = 1\n", "x"],
            "metadata": {"id": "mXq", "nbgrader": {"grade_id": "a", "solution": True}},
            "execution_count": None,
            "outputs": [],
        }
    ],
}
VS_CODE = {
    "nbformat": 4,
    "nbformat_minor": 2,
    "metadata": {"orig_nbformat": 4, "language_info": {"name": "python"}},
    "cells": [
        {
            "cell_type": "code",
            "source": ["x = 1\r\n", "x"],
            "metadata": {
                "vscode": {"languageId": "python"},
                "nbgrader": {"grade_id": "a", "solution": True},
            },
            "execution_count": 3,
            "outputs": [],
        }
    ],
}
JUPYTERLAB = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"widgets": {}, "toc-autonumbering": True},
    "cells": [
        {
            "id": "5f2c",
            "cell_type": "code",
            "source": "x = 1\nx",
            "metadata": {
                "jupyter": {"source_hidden": True},
                "editable": True,
                "slideshow": {"slide_type": ""},
                "trusted": True,
                "nbgrader": {"grade_id": "a", "solution": True},
            },
            "execution_count": None,
            "outputs": [],
        }
    ],
}


@pytest.mark.parametrize(
    "notebook", [COLAB, VS_CODE, JUPYTERLAB], ids=["Colab", "VS Code", "Lab 4"]
)
def test_notebooks_of_other_editors_are_read(notebook: dict[str, Any]) -> None:
    (cell,) = read_document(json.dumps(notebook)).cells
    assert cell.source == "x = 1\nx"
    problems: list[str] = []
    metadata = read_metadata(cell.metadata, cell.kind, problems)
    assert metadata is not None
    assert (metadata.grade_id, problems) == ("a", [])


def test_a_cell_that_is_no_object_is_named_by_its_number() -> None:
    with pytest.raises(NotebookError, match="cell number 2: is not an object"):
        read_document('{"nbformat": 4, "nbformat_minor": 5, "cells": [{}, 7]}')
