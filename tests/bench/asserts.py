"""A lab's checks as asserts with literal values, the way nbgrader and otter assignments hold them."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.notebook import reference_answers, restore
from grader.referee import Referee, decoded, referee_for
from labs.catalog import Lab

SEED = "1" * 64
AGREE = """
def agrees(got, want):
    if isinstance(want, dict):
        return set(got) == set(want) and all(agrees(got[name], want[name]) for name in want)
    return bool(abs(got - want).max() <= 1e-9) if hasattr(want, "shape") else abs(got - want) <= 1e-9
"""


@dataclass(frozen=True, slots=True)
class Asserts:
    """One check: `body` defines its experiment, `cases` are (inputs, expected) as Python text."""

    name: str
    points: int
    body: str
    cases: list[tuple[str, str]]

    def lines(self, namespace: str) -> str:
        """Statements that raise unless every case agrees; `namespace` holds the student's names."""
        cases = "".join(f"    ({inputs}, {expected}),\n" for inputs, expected in self.cases)
        return (
            f"from types import SimpleNamespace\n{AGREE}\n{self.body}\n\ncases = [\n{cases}]\n"
            f"for inputs, expected in cases:\n"
            f"    assert agrees({self.name}(SimpleNamespace(**{namespace}), **inputs), expected)\n"
        )

    def inside_a_function(self, header: str, namespace: str) -> str:
        return f"{header}\n{textwrap.indent(self.lines(namespace), '    ')}"


def literal(value: Any) -> str:
    """Python text that makes a value again, given `np` and, for tensors, `torch`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name!r}: {literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()!r}, dtype={str(value.dtype)!r})"
    if type(value).__module__ == "torch":
        return f"torch.tensor({value.tolist()!r}, dtype={value.dtype})"
    return repr(value)


def asserts_of(lab: Lab) -> Iterator[Asserts]:
    """Each check of the lab with the inputs and the reference's answers of all its trials."""
    referee: Referee = referee_for(lab)
    for check in referee.checks:
        cases = []
        for trial in range(check.trials):
            inputs = referee.inputs(check, SEED, trial)
            cases.append((literal(decoded(inputs[0])), literal(referee.expected(check, inputs))))
        yield Asserts(check.name, int(check.points), check.body, cases)


def own_cells(lab: Lab) -> list[tuple[str, str]]:
    """(id, source) of a solved notebook's cells that are not checks, without labkit."""
    roles = {cell.id: cell.role for cell in lab.cells}
    return [
        (cell.id, cell.source.replace("from labkit import check\n", ""))
        for cell in restore(lab, reference_answers(lab))
        if roles[cell.id] != "check"
    ]
