"""Hands in answers to the classic assignment and grades them."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from grader.notebook import reference_answers
from grader.protocol import CheckResult, GradingReport, GradingRequest
from grader.runner import grade
from grader.sandbox.base import Sandbox
from labs.catalog import Lab, read_lab, student_notebook

SUMS = Path(__file__).resolve().parents[1] / "fixtures" / "classic" / "sums"
SQUARES = (
    "def squares(n):\n    if n < 1: raise ValueError\n    return [i * i for i in range(1, n + 1)]"
)


@dataclass(frozen=True)
class ClassicDesk:
    """A sandbox with the assignment of sums and means in front of it."""

    sandbox: Sandbox
    lab: Lab = field(default_factory=lambda: read_lab(SUMS))

    def grade(self, **cells: str) -> GradingReport:
        """The reference's answers with these cells in their place."""
        notebook = student_notebook(self.lab, reference_answers(self.lab) | cells).decode()
        request = GradingRequest(
            attempt="attempt",
            lab=self.lab.slug,
            lab_hash=self.lab.content_hash,
            submission_sha256=hashlib.sha256(notebook.encode()).hexdigest(),
            seed="0" * 64,
            notebook=notebook,
        )
        return grade(request, sandbox=self.sandbox, lab=self.lab)

    def points(self, **cells: str) -> dict[str, float]:
        return {r.check: float(r.points) for r in self.grade(**cells).results}

    def result(self, check: str, **cells: str) -> CheckResult:
        return next(r for r in self.grade(**cells).results if r.check == check)
