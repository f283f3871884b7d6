"""A lab that is broken is said to be: with its name, the check and what to do, and never by a traceback."""

import json
from pathlib import Path

import pytest

from grader.__main__ import UNUSABLE, main
from grader.errors import LabError
from grader.protocol import Verdict
from grader.runner import grade
from grader.sandbox.base import Sandbox
from tests.grader.grading_desk import result
from tests.grader.made_lab import SIMPLE, desk, one

RETURN = "    return x"
BROKEN = {
    "inputs raise": (SIMPLE.format(x="1 / 0", more=""), RETURN, "inputs failed: ZeroDivisionError"),
    "inputs exit": (SIMPLE.format(x="exit(3)", more=""), RETURN, "inputs failed: SystemExit(3)"),
    "inputs are unsendable": (
        SIMPLE.format(x="object()", more=""),
        RETURN,
        "inputs cannot be sent: builtins.object is no plain data",
    ),
    "inputs hide something unsendable": (
        SIMPLE.format(x="[1, {'deep': (2, object())}]", more=""),
        RETURN,
        "inputs cannot be sent: builtins.object is no plain data",
    ),
    "inputs have too many parts": (
        SIMPLE.format(x="list(range(100_000))", more=""),
        RETURN,
        "inputs cannot be sent: the answer has too many parts",
    ),
    "inputs are too large": (
        SIMPLE.format(x="bytes(2 * 10**8)", more=""),
        RETURN,
        "inputs are over 134217728 bytes",
    ),
    "inputs have other names": (
        SIMPLE.replace('"x"', '"y"').format(x="1.0", more=""),
        RETURN,
        "the reference failed: TypeError",
    ),
    "services raise": (
        SIMPLE.format(x="1.0", more=", services=lambda inputs, rng: 1 / 0"),
        RETURN,
        "services failed: ZeroDivisionError",
    ),
    "the reference raises": (
        SIMPLE.format(x="1.0", more=""),
        "    return 1 / 0",
        "the reference failed: ZeroDivisionError",
    ),
    "the reference exits": (
        SIMPLE.format(x="1.0", more=""),
        "    raise SystemExit(3)",
        "the reference failed: SystemExit(3)",
    ),
    "the reference's answer is unsendable": (
        SIMPLE.format(x="1.0", more=""),
        "    return object()",
        "the reference's answer cannot be sent: builtins.object is no plain data",
    ),
    "verify raises": (
        SIMPLE.format(x="1.0", more=", verify=lambda inputs, outputs: 1 / 0"),
        RETURN,
        "verify failed: ZeroDivisionError",
    ),
    "verify returns no sentence": (
        SIMPLE.format(x="1.0", more=", verify=lambda inputs, outputs: outputs == 1.0"),
        RETURN,
        "verify returned a bool; it returns a sentence, or None where the answer is right",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_lab_is_our_failure_and_costs_no_student_a_point(
    sandbox: Sandbox, tmp_path: Path, how: str
) -> None:
    checks, body, said = BROKEN[how]
    broken = desk(sandbox, tmp_path, checks, body)
    with pytest.raises(LabError) as raised:
        grade(broken.request(one=one(RETURN, "x")), sandbox=sandbox, lab=broken.lab)
    told = str(raised.value)
    assert told.startswith("made: asked: "), told
    assert said in told
    assert f"mend it, then run `python -m grader lint {broken.lab.folder}`" in told
    if "ZeroDivision" in said and "reference" not in said:
        assert f"{broken.lab.folder / 'checks.py'}, line " in told


def test_an_answer_that_verify_was_not_written_for_is_wrong_and_the_lab_is_not(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    checks = SIMPLE.format(x="1.0", more=", verify=lambda inputs, outputs: outputs['y'] and None")
    lab = desk(sandbox, tmp_path, checks, "    return {'y': x}")
    assert lab.grade().score == 10
    found = result(lab.grade(one=one(RETURN, "x")), "asked")
    assert found.verdict is Verdict.FAILED
    assert "another form than is asked for" in found.message


@pytest.mark.parametrize("where", ["the reference's cell", "checks.py", "a check"])
@pytest.mark.parametrize("what", ["1 / 0", "raise SystemExit(0)"])
def test_the_command_line_ends_with_a_sentence_and_says_what_cannot_be_used(
    sandbox: Sandbox, tmp_path: Path, capfd: pytest.CaptureFixture[str], where: str, what: str
) -> None:
    checks, body = SIMPLE.format(x="1.0", more=""), RETURN
    if where == "checks.py":
        checks += f"\n\n{what}\n"
    else:
        body = f"    {what}" if where == "a check" else f"{RETURN}\n\n{what}"
    folder = desk(sandbox, tmp_path, checks, body).lab.folder
    notebook = tmp_path / "n.ipynb"
    metadata = {"grade": False, "grade_id": "one", "locked": False, "schema_version": 3}
    cell: dict[str, object] = {
        "id": "a",
        "cell_type": "code",
        "source": one(RETURN, "x"),
        "metadata": {"nbgrader": {**metadata, "solution": True}},
        "outputs": [],
        "execution_count": None,
    }
    page = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    notebook.write_text(json.dumps(page))
    assert main(["grade", str(folder), str(notebook)]) == UNUSABLE
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1, said
    assert str(folder) in said
    assert ("ZeroDivisionError" if what == "1 / 0" else "SystemExit") in said
