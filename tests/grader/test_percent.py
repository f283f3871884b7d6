"""The reader of lab.py, with jupytext and nbgrader as oracles."""

import json
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import LabError
from grader.percent import read_fragment, read_percent
from labs.catalog import HOME

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jupytext
    from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

ROLES = {
    "exercise": {"grade": False, "locked": False, "solution": True},
    "check": {"grade": True, "locked": True, "solution": False, "points": 2.5},
    "setup": {"grade": False, "locked": True, "solution": False},
}
CODE = st.sampled_from(
    [
        "x = 1",
        "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION",
        "class A:\n    def f(self):\n        ### BEGIN SOLUTION\n        y = 2\n\n        return y\n"
        "        ### END SOLUTION\n\n    def g(self):\n        # BEGIN SOLUTION\n        pass\n"
        "        # END SOLUTION\n        return 3",
        '"""text\n\n  more"""\n\n\ny = 2  # a comment',
        "# only a comment",
        "",
    ]
)
MARKDOWN = st.sampled_from(
    ["# Title", "a\n\nb $x^2$ | c", "```python\nx = 1\n```", "* one\n  * two\n", "#no space", ""]
)


@st.composite
def percent_sources(draw: st.DrawFn) -> str:
    """Sources as an author writes them, some with a header block, with blank lines between cells."""
    parts = (
        ["# ---\n# jupyter:\n#   kernelspec: {display_name: Python 3, name: python3}\n# ---\n"]
        if draw(st.booleans())
        else []
    )
    for number in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["markdown", *ROLES]))
        if kind == "markdown":
            text = draw(MARKDOWN)
            body = "\n".join(f"# {line}" if line else "#" for line in text.split("\n"))
            parts.append(f"# %% [markdown]\n{body}\n")
        else:
            metadata = ROLES[kind] | {"grade_id": f"cell-{number}", "schema_version": 3}
            body = draw(CODE) if kind == "exercise" else "x = 1"
            parts.append(f"# %% nbgrader={json.dumps(metadata)}\n{body}\n")
        parts.append("\n" * draw(st.integers(0, 2)))
    return "".join(parts)


@given(percent_sources())
def test_every_cell_is_what_jupytext_reads(source: str) -> None:
    expected = jupytext.reads(source, "py:percent").cells
    cells = read_percent(source)
    assert [(c.kind, c.source) for c in cells] == [(c.cell_type, c.source) for c in expected]
    assert [c.nbgrader for c in cells] == [c.metadata.get("nbgrader") for c in expected]


@given(percent_sources())
def test_the_students_version_is_what_nbgrader_makes(source: str) -> None:
    notebook = jupytext.reads(source, "py:percent")
    notebook.metadata["kernelspec"] = {"language": "python", "name": "python3"}
    released, _ = ClearSolutions().preprocess(notebook, {})
    released, _ = ClearHiddenTests().preprocess(released, {})
    assert [c.student_source() for c in read_percent(source)] == [c.source for c in released.cells]


@pytest.mark.parametrize("path", sorted(HOME.glob("*/lab.py")), ids=lambda path: path.parent.name)
def test_the_shipped_labs_are_read_as_jupytext_reads_them_and_released_as_nbgrader_does(
    path,
) -> None:
    source = path.read_text(encoding="utf-8")
    notebook = jupytext.reads(source, "py:percent")
    cells = read_percent(source)
    assert [(c.kind, c.source) for c in cells] == [(c.cell_type, c.source) for c in notebook.cells]
    notebook.metadata["kernelspec"] = {"language": "python", "name": "python3"}
    released, _ = ClearSolutions().preprocess(notebook, {})
    assert [c.student_source() for c in cells] == [c.source for c in released.cells]


def test_hidden_tests_are_taken_out_as_nbgrader_does() -> None:
    metadata = json.dumps(ROLES["check"] | {"grade_id": "c", "schema_version": 3})
    body = "assert 1\n### BEGIN HIDDEN TESTS\nassert 2\n### END HIDDEN TESTS\nassert 3"
    source = f"# %% nbgrader={metadata}\n{body}\n"
    expected, _ = ClearHiddenTests().preprocess(jupytext.reads(source, "py:percent"), {})
    (cell,) = read_percent(source)
    assert cell.student_source() == expected.cells[0].source == "assert 1\nassert 3"


def test_the_reference_keeps_the_solution_without_its_markers() -> None:
    metadata = json.dumps(ROLES["exercise"] | {"grade_id": "c", "schema_version": 3})
    body = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    (cell,) = read_percent(f"# %% nbgrader={metadata}\n{body}\n")
    assert cell.reference_source() == "def f():\n    return 1"


HEAD = '# %% nbgrader={"grade": false, "grade_id": "a", "locked": true, "schema_version": 3, "solution": '


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\n# %%\n", "line 1: text before the first cell"),
        ("# %% Title [markdown]\n# x\n", "line 1: not a cell header"),
        ("# %%\n#%% no space\n", "line 2: not a cell header"),
        ("# %% [markdown]\nplain\n", "line 2: a line of a markdown cell must start with '#'"),
        ("# %% [markdown]\n# ```\n# x\n", "line 1: a fenced block"),
        ("# %%\n%matplotlib inline\n", "line 2: looks like a notebook magic"),
        ("# %%\n# !pip install x\n", "line 2: looks like a notebook magic"),
        ("# %%\nx = (\n", "line 2: "),
        (HEAD + "false\n", "line 1: not a cell header"),
        (HEAD + "no}\n", "line 1: nbgrader={…} is not JSON"),
        (HEAD + '"yes"}\n', "line 1: nbgrader metadata: solution must not be 'yes'"),
        (HEAD + 'false, "colour": 1}\n', "line 1: nbgrader metadata: colour is unknown"),
        (HEAD + 'false, "points": 1}\n', "only a graded cell has points"),
        (HEAD.replace('"a"', '"ä"') + "false}\n", "grade_id must be"),
        (HEAD.replace("3", "2") + "false}\n", "schema_version must be 3"),
        (HEAD.replace('"grade": false', '"grade": true') + "false}\n", "needs points"),
        (f"{HEAD}false}}\n\n{HEAD}false}}\n", "line 3: grade_id 'a' is used on line 1 already"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(source: str, said: str) -> None:
    with pytest.raises(LabError) as refused:
        read_percent(source, file="x/lab.py")
    assert said in str(refused.value)
    assert all(line.startswith("x/lab.py: line ") for line in str(refused.value).split("\n"))


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(LabError) as refused:
        read_percent("oops\n# %% [markdown]\nplain\n# %%\nx = (\n")
    assert len(str(refused.value).split("\n")) == 3


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("### BEGIN SOLUTION\nx = 1", "without END SOLUTION"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", "inside another"),
    ],
)
def test_broken_regions_are_refused(body: str, said: str) -> None:
    metadata = json.dumps(ROLES["exercise"] | {"grade_id": "c", "schema_version": 3})
    (cell,) = read_percent(f"# %% nbgrader={metadata}\n{body}\n")
    with pytest.raises(LabError, match=said):
        cell.student_source()


def test_a_solution_in_a_locked_cell_is_refused() -> None:
    metadata = json.dumps(ROLES["setup"] | {"grade_id": "c", "schema_version": 3})
    (cell,) = read_percent(
        f"# %% nbgrader={metadata}\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n"
    )
    with pytest.raises(LabError, match="solution: true"):
        cell.student_source()


def test_a_fragment_gives_whole_cells_by_their_id() -> None:
    text = (
        '"""Wrong."""\n# caught by: x\n\n# %% one\ndef f():\n    return 1\n\n\n# %% two-b\ny = 2\n'
    )
    assert read_fragment(text, file="w.py") == {"one": "def f():\n    return 1", "two-b": "y = 2"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"""Nothing."""\n', "no replacement cell"),
        ("# %% a\n# %% a\n", "comes twice"),
        ("# %% [markdown]\n", "write '# %% grade_id'"),
        ("import os\n# %% a\n", "before the first cell"),
    ],
)
def test_a_broken_fragment_is_refused(text: str, said: str) -> None:
    with pytest.raises(LabError, match=said):
        read_fragment(text, file="w.py")
