"""`check("name")` in plain Jupyter: the public trials of a check, with the answers released beside the notebook.

A submission asks the same check with other inputs, and hidden checks besides; what passes here is likely to
pass there, and what fails here fails there. The values were computed with a public seed when the lab was
released; nothing of this earns points.
"""

import json
import math
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .comparing import Mismatch, Tolerance, compare, unfit
from .released import describe_inputs, from_json, plain, to_json

FILE = "checks.json"


def released_checks(folder: Path) -> dict[str, Any] | None:
    """What was released beside the notebook; None where nothing was."""
    path = folder / FILE
    if not path.is_file():
        return None
    document = json.loads(path.read_text(encoding="utf-8"))
    return document if isinstance(document, dict) and document.get("version") == 1 else None


class _Notebook:
    """What a check sees as `lab`: the notebook's names, by attribute."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        object.__setattr__(self, "_namespace", namespace)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._namespace[name]
        except KeyError:
            raise NameError(f"the notebook defines no `{name}`; run its cell first") from None


def ask(name: str, namespace: dict[str, Any], document: dict[str, Any]) -> str:
    """Run the public trials of one check against a notebook's names; the verdict as text.

    An exception of the notebook's own code is raised as it is: its traceback is the best explanation.
    """
    check = document["checks"].get(name)
    if check is None:
        known = ", ".join(document["checks"])
        return f"? {name}: no check is called so; there are {known}."
    title = f"{name}: {check['title']}"
    if check["reason"]:
        return f"– {title}\n  {check['reason']}"
    function = _function(name, check["body"])
    verify = _function(check["verify_name"], check["verify"]) if check["verify"] else None
    for number, trial in enumerate(check["trials"], start=1):
        inputs = from_json(trial["inputs"])
        with _seeded(document["seed"]):
            outputs = function(_Notebook(namespace), **inputs)
        mismatch = _mismatch(check, trial, plain(outputs), verify)
        if mismatch is None and to_json(inputs) != trial["inputs"]:
            mismatch = Mismatch("the values are right, but an input was changed")
        if mismatch is not None:
            return _failure(title, check, number, trial, mismatch)
    count = len(check["trials"])
    return f"✓ {title}\n  {count} public trial{'s' * (count > 1)} passed; a submission asks others."


def _mismatch(
    check: dict[str, Any], trial: dict[str, Any], outputs: Any, verify: Any
) -> Mismatch | None:
    if verify is None:
        tolerance = Tolerance(*check["tolerance"]) if check["tolerance"] else None
        return compare(outputs, from_json(trial["expected"]), tolerance)
    if (wrong := unfit(outputs)) is not None:
        return wrong
    complaint = verify(from_json(trial["inputs"]), outputs)
    return None if complaint is None else Mismatch(complaint)


def _failure(
    title: str, check: dict[str, Any], number: int, trial: dict[str, Any], mismatch: Mismatch
) -> str:
    lines = [f"✗ {title}", f"  public trial {number} of {len(check['trials'])}: {mismatch.message}"]
    if mismatch.relative_error is not None:
        lines.append(f"  relative error {mismatch.relative_error:.2g}")
    if check["hint"]:
        lines.append(f"  hint: {check['hint']}")
    asked = describe_inputs(from_json(trial["inputs"]))
    lines += ["  it was asked:", *_indented(check["body"])]
    if asked:
        lines += ["  with:", *_indented(asked)]
    return "\n".join(lines)


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in text.split("\n")]


def _function(name: str, source: str) -> Any:
    """A function of the release in a namespace of its own, with the names that a check may use."""
    namespace: dict[str, Any] = {"np": np, "numpy": np, "math": math}
    for module in ("labkit", "torch"):
        if module in sys.modules:
            namespace[module] = sys.modules[module]
    exec(compile(source, f"check:{name}", "exec"), namespace)
    return namespace[name]


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """The generators as they stand when a check is graded; the notebook's own come back afterwards."""
    torch = sys.modules.get("torch")
    before = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if torch is not None:
        torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        if torch is not None:
            torch.set_rng_state(before[2])
