"""The student's version of a lab for plain Jupyter, made with nbgrader's own preprocessors.

    python -m grader release labs/autodiff -o DIR

writes DIR/autodiff.ipynb, the figures, labkit, and `checks.json`: the bodies of the visible checks with a few
public trials each, so that `check("name")` gives a verdict without any server. The answers in the notebook
are those that the site serves. This is the only file that imports nbgrader, and nothing of the site or of a
worker imports it.
"""

import hashlib
import inspect
import json
import logging
import shutil
import textwrap
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from grader import notebook
from grader.checks import Check
from grader.errors import LabError
from grader.inside.kernel import SEED
from grader.kit import LABKIT
from grader.percent import SourceCell
from grader.referee import decoded, referee_for
from labs.catalog import Lab, read_answers
from labs.labkit.released import to_json
from labs.labkit.trials import FILE

PUBLIC_TRIALS = 3
MAX_TRIAL_CHARACTERS = 400_000
_README = """This folder runs in any Jupyter with numpy{torch}: open {slug}.ipynb.

`check("name")` runs the public trials of a check, with the values in {file}. A submission asks the same
checks with other inputs, and hidden ones besides. Hand in {slug}.ipynb.
"""


def release(lab: Lab, folder: Path) -> list[Path]:
    """Write the student's version of a lab into a folder; returns what was written.

    Raises:
        LabError: nbgrader refuses the source, or nbgrader is not installed.
    """
    content = released_notebook(lab)
    starter = {cell.id: cell.source for cell in lab.cells if cell.role == "exercise"}
    if read_answers(lab, content) != starter:
        raise LabError(f"{lab.folder}: nbgrader releases other answers than the site serves.")
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / f"{lab.slug}.ipynb"]
    written[0].write_bytes(content)
    if lab.kind == "sealed":
        written.append(folder / FILE)
        written[-1].write_text(json.dumps(released_checks(lab), indent=1) + "\n", encoding="utf-8")
        written += _copied(LABKIT, folder / "labkit", "*.py")
        readme = folder / "README.txt"
        torch = " and torch" if lab.zygote != "numpy" else ""
        readme.write_text(_README.format(slug=lab.slug, file=FILE, torch=torch), encoding="utf-8")
        written.append(readme)
    if (lab.folder / "figures").is_dir():
        written += _copied(lab.folder / "figures", folder / "figures", "*")
    return written


def _copied(source: Path, target: Path, pattern: str) -> list[Path]:
    target.mkdir(parents=True, exist_ok=True)
    files = sorted(path for path in source.glob(pattern) if path.is_file())
    return [Path(shutil.copyfile(path, target / path.name)) for path in files]


def released_notebook(lab: Lab) -> bytes:
    """The notebook after nbgrader's preprocessors, in the order of its generate_assignment.

    Raises:
        LabError: what nbgrader refuses, in its own words.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import nbformat
            from nbgrader import preprocessors as steps
            from nbgrader.nbgraderformat import ValidationError
    except ImportError as error:
        raise LabError(f"{error}; install it: pip install -c constraints.txt nbgrader.") from None
    document = nbformat.from_dict(_source_document(lab))  # type: ignore[no-untyped-call]
    resources: dict[str, Any] = {}
    order = (
        steps.LockCells,
        steps.ClearSolutions,
        steps.ClearOutput,
        steps.CheckCellMetadata,
        steps.ComputeChecksums,
        steps.ClearHiddenTests,
        steps.ClearMarkScheme,
        steps.ComputeChecksums,
        steps.CheckCellMetadata,
    )
    for step in order:
        preprocessor = step()
        preprocessor.log.setLevel(logging.CRITICAL)  # it says the same in its exception
        try:
            document, resources = preprocessor.preprocess(document, resources)
        except (RuntimeError, ValueError, ValidationError) as error:
            raise LabError(f"{lab.folder}: nbgrader's {step.__name__}: {error}.") from None
    for cell in document.cells:
        if cell.metadata.get("nbgrader", {}).get("task"):
            cell.metadata.pop("editable", None)  # a task is answered in its own cell
    document.metadata["gradus"] = {"lab": lab.slug}
    text: str = nbformat.writes(document)  # type: ignore[no-untyped-call]
    return (text.rstrip("\n") + "\n").encode("utf-8")


def _source_document(lab: Lab) -> dict[str, Any]:
    """The author's notebook as nbformat would have it, solutions and hidden tests included."""
    sources = list(notebook.source_cells(lab))
    return {
        "cells": [
            _source_cell(cell.id, source) for cell, source in zip(lab.cells, sources, strict=True)
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"file_extension": ".py", "name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _source_cell(cell_id: str, source: SourceCell) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if source.nbgrader is not None:
        metadata["nbgrader"] = dict(source.nbgrader)
        if not (source.is_grade or source.nbgrader.get("task")):
            metadata["nbgrader"].pop("points", None)
    cell = {"cell_type": source.kind, "id": cell_id, "metadata": metadata, "source": source.source}
    return cell | ({"execution_count": None, "outputs": []} if source.kind == "code" else {})


def released_checks(lab: Lab) -> dict[str, Any]:
    """What `check` needs in plain Jupyter: bodies, public inputs, and what the reference answers to them."""
    referee = referee_for(lab)
    seed = hashlib.sha256(f"public trials of {lab.slug}".encode()).hexdigest()
    found: dict[str, Any] = {}
    for check in referee.checks:
        told = _told(check)
        if not told["reason"]:
            for trial in range(min(check.trials, PUBLIC_TRIALS)):
                inputs = referee.inputs(check, seed, trial)
                entry = {"inputs": to_json(decoded(inputs[0]))}
                if check.verify is None:
                    entry["expected"] = to_json(referee.expected(check, inputs))
                if len(json.dumps(entry)) <= MAX_TRIAL_CHARACTERS:
                    told["trials"].append(entry)
            if not told["trials"]:
                told["reason"] = (
                    "Its inputs are too large to be released; submit to see its verdict."
                )
        found[check.name] = told
    return {"version": 1, "lab": lab.slug, "seed": SEED, "checks": found}


def _told(check: Check) -> dict[str, Any]:
    reason = _why_not(check)
    public = {} if reason else {"body": check.body, "hint": check.hint}
    verify = check.verify if check.verify is not None and not reason else None
    tolerance = check.tolerance
    return {
        "title": check.title,
        "points": str(Decimal(check.points)),
        "reason": reason,
        "tolerance": [tolerance.relative, tolerance.absolute, tolerance.equal_nan]
        if tolerance
        else None,
        "verify": "" if verify is None else textwrap.dedent(inspect.getsource(verify)),
        "verify_name": "" if verify is None else verify.__name__,
        "trials": [],
        **public,
    }


def _why_not(check: Check) -> str:
    if check.hidden:
        return "It is hidden; submit to see its verdict."
    for need, words in _needs(check):
        if need:
            return f"It needs {words} of the grader; submit to see its verdict."
    if check.verify is not None and not check.public_verify:
        return (
            "More than one answer is right, so nothing was released to compare with; submit to see."
        )
    if check.verify is not None and check.verify.__name__ == "<lambda>":
        raise LabError(f"check {check.name}: a public verify must be a function of its own.")
    return ""


def _needs(check: Check) -> Iterator[tuple[bool, str]]:
    yield bool(check.services), "services"
    yield bool(check.worlds), "several ranks"
    yield check.gpu, "a GPU"
    yield bool(getattr(check, "gpu", False)), "a GPU"
