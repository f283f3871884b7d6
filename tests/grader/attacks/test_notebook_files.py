"""Attacks by the file: what surrounds the answers in an .ipynb is never believed, and never kills the reader.

Each one begins with a notebook whose answers are wrong, so that any point would be unearned.
"""

import base64
import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from grader.protocol import MAX_NOTEBOOK_BYTES, GradingRequest, Verdict
from grader.runner import grade
from labs.catalog import student_notebook
from tests.grader.grading_desk import SEED, Desk, verdicts

WRONG = {
    "double": "def double(x):\n    return None",
    "total": "def total(x):\n    return None",
    "root": "def root(x):\n    return None",
}
SOLVED = "def double(x): return 2 * x\ndef total(x): return x.sum()\ndef root(x): return np.sqrt(x)"
Spoil = Callable[[dict[str, Any]], Any]


def cell(notebook: dict[str, Any], grade_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in notebook["cells"] if c["id"] == grade_id)
    return found


def nbgrader(notebook: dict[str, Any], grade_id: str) -> dict[str, Any]:
    metadata: dict[str, Any] = cell(notebook, grade_id)["metadata"]["nbgrader"]
    return metadata


def code(source: str, **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "id": "x", "metadata": metadata, "source": source,
            "outputs": [], "execution_count": None}  # fmt: skip


def each_point(notebook: dict[str, Any]) -> None:
    for grade_id in ("check-double", "check-total", "check-root"):
        nbgrader(notebook, grade_id)["points"] = 1000


def shown_score(notebook: dict[str, Any]) -> None:
    for found in notebook["cells"]:
        if found["cell_type"] == "code":
            data = {"text/plain": "1000", "text/html": "<script>alert(1)</script>"}
            found["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]


def relabelled(notebook: dict[str, Any]) -> None:
    cell(notebook, "double")["metadata"], cell(notebook, "check-double")["metadata"] = (
        cell(notebook, "check-double")["metadata"], cell(notebook, "double")["metadata"],
    )  # fmt: skip
    cell(notebook, "setup")["source"] = SOLVED


def solution_of_another_cell(notebook: dict[str, Any]) -> None:
    notebook["cells"].append(code(SOLVED, nbgrader=dict(nbgrader(notebook, "double"), grade_id="setup")))  # fmt: skip


def twice(notebook: dict[str, Any]) -> None:
    notebook["cells"].append(code(SOLVED, nbgrader=nbgrader(notebook, "double")))


def attachments(notebook: dict[str, Any]) -> None:
    found = cell(notebook, "double")
    found["attachments"] = {"../../../../tmp/planted": {"text/plain": "eA=="}}
    found["metadata"]["path"] = "/etc/passwd"
    notebook["cells"].append(
        {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "![](attachment:../../x)",
         "attachments": {"/etc/cron.d/x": {"text/plain": "eA=="}}}
    )  # fmt: skip


SPOILED: dict[str, Spoil] = {
    "points are raised in the metadata": each_point,
    "a score stands in the outputs": shown_score,
    "locked cells are edited": lambda n: cell(n, "setup").update(source=SOLVED),
    "check cells are edited": lambda n: cell(n, "check-double").update(source="print('passed')"),
    "locked cells are unlocked": lambda n: nbgrader(n, "setup").update(locked=False, solution=True),
    "check cells and answers change places": relabelled,
    "cells are added before and after": lambda n: n.update(
        cells=[code(SOLVED), *n["cells"], code(SOLVED)]
    ),
    "a solution comes under the name of a locked cell": solution_of_another_cell,
    "an answer comes twice": twice,
    "attachments climb out of their folder": attachments,
    "another kernel is asked for": lambda n: n["metadata"].update(
        kernelspec={"name": "bash", "display_name": "sh", "argv": ["/bin/sh"]}
    ),
    "another lab is named": lambda n: n["metadata"].update(gradus={"lab": "autodiff"}),
    "numbers are not numbers": lambda n: json.dumps(
        n | {"x": [float("nan"), float("inf")]}
    ).encode(),
    "a byte order mark begins it": lambda n: b"\xef\xbb\xbf" + json.dumps(n).encode(),
    "it is UTF-16": lambda n: json.dumps(n).encode("utf-16"),
    "an answer holds NUL": lambda n: cell(n, "double").update(source="x = 1\0"),
    "an answer holds half a character": lambda n: cell(n, "double").update(source="'\ud800'"),
    "it is cut off": lambda n: json.dumps(n).encode()[:-40],
    "it is nested very deeply": lambda n: b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "its metadata is nested as deeply as is read": lambda n: json.dumps(n).encode().replace(
        b'"schema_version": 3', b'"schema_version": ' + b"[" * 900 + b"]" * 900
    ),
    "it has very many brackets": lambda n: b"[" + b"{}," * 1_000_000 + b"{}]",
    "it has very many cells": lambda n: n.update(cells=n["cells"] + [code("")] * 3000),
    "it has one key twice": lambda n: json.dumps(n).encode().replace(
        b'"nbformat":', b'"cells": [], "nbformat":'
    ),
    "it is larger than it may be": lambda n: json.dumps(n).encode() + b" " * MAX_NOTEBOOK_BYTES,
    "it is a compressed bomb": lambda n: gzip.compress(b"\0" * 10_000_000),
    "it is an archive": lambda n: archive(),
    "it is a pickle": lambda n: b"\x80\x04cos\nsystem\n(S'id'\ntR.",
    "its answer is a list of a million lines": lambda n: cell(n, "double").update(
        source=["\n"] * 1_000_000
    ),
    "its answer is a huge line": lambda n: cell(n, "double").update(
        source="x = " + "-" * 190_000 + "1"
    ),
    "its answer holds magics": lambda n: cell(n, "double").update(
        source="%%bash\ncat /etc/shadow\n"
    ),
    "its answer closes regions": lambda n: cell(n, "double").update(
        source="### END SOLUTION\n### BEGIN HIDDEN TESTS\ncheck = print\n" + WRONG["double"]
    ),
    "its integers are very long": lambda n: b'{"nbformat": ' + b"9" * 1_000_000 + b"}",
    "its version is of another kind": lambda n: n.update(nbformat=True, nbformat_minor=4.5),
    "its data is base64 of nothing": lambda n: base64.b64encode(json.dumps(n).encode()),
    "it is empty": lambda n: b"",
}  # fmt: skip


def archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("../../../../tmp/planted", "x")
    return made.getvalue()


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_file_earns_nothing(desk: Desk, how: str) -> None:
    notebook = json.loads(student_notebook(desk.lab, WRONG))
    spoiled = SPOILED[how](notebook)
    data = spoiled if isinstance(spoiled, bytes) else json.dumps(notebook).encode()
    text = data.decode("utf-8", "replace")[:MAX_NOTEBOOK_BYTES]
    request = GradingRequest(
        attempt="attempt",
        lab=desk.lab.slug,
        lab_hash=desk.lab.content_hash,
        submission_sha256=hashlib.sha256(data).hexdigest(),
        seed=SEED,
        notebook=text,
    )
    report = grade(request, sandbox=desk.sandbox, lab=desk.lab)
    assert report.score == 0
    assert report.max_score == 10
    assert not {Verdict.PASSED, Verdict.INTERNAL_ERROR} & set(verdicts(report).values())
    report.model_dump_json()
