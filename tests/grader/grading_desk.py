"""Hands in answers to the tiny lab and grades them: what most tests of the grader begin with."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from grader.notebook import reference_answers
from grader.protocol import CheckResult, GradingReport, GradingRequest, Verdict
from grader.runner import OnResult, grade
from grader.sandbox.base import Sandbox
from labs.catalog import Lab, read_lab, student_notebook

TINY = Path(__file__).resolve().parents[1] / "fixtures" / "labs" / "tiny"
CHECKS = ("doubles", "totals", "totals_hidden", "some_root")
SEED = hashlib.sha256(b"a seed of the tests").hexdigest()


@dataclass(frozen=True)
class Desk:
    """A sandbox with the tiny lab in front of it."""

    sandbox: Sandbox
    lab: Lab = field(default_factory=lambda: read_lab(TINY))

    def request(self, *, seed: str = SEED, **cells: str) -> GradingRequest:
        """The reference's answers with these cells in their place."""
        answers = reference_answers(self.lab) | cells
        notebook = student_notebook(self.lab, answers).decode()
        return GradingRequest(
            attempt="attempt",
            lab=self.lab.slug,
            lab_hash=self.lab.content_hash,
            submission_sha256=hashlib.sha256(notebook.encode()).hexdigest(),
            seed=seed,
            notebook=notebook,
        )

    def grade(
        self,
        *,
        seed: str = SEED,
        on_result: OnResult = lambda result: None,
        cancelled: Event | None = None,
        **cells: str,
    ) -> GradingReport:
        return grade(
            self.request(seed=seed, **cells),
            sandbox=self.sandbox,
            lab=self.lab,
            on_result=on_result,
            cancelled=cancelled,
        )

    def seen(self, code: str) -> str:
        """What a student's function prints that is called while a check is asked."""
        source = (
            f"def tell():\n{_indented(code)}\n\n"
            "def double(x):\n    globals().pop('tell', int)()\n    return 2 * x"
        )
        return result(self.grade(double=source), "doubles").stdout

    def seen_in_cell(self, code: str) -> str:
        """What a cell of a notebook prints."""
        return self.grade(double=f"{code}\ndef double(x):\n    return 2 * x").notebook_stdout


def _indented(code: str) -> str:
    return "\n".join("    " + line for line in code.strip("\n").split("\n"))


def result(report: GradingReport, check: str) -> CheckResult:
    return next(found for found in report.results if found.check == check)


def verdicts(report: GradingReport) -> dict[str, Verdict]:
    assert tuple(found.check for found in report.results) == CHECKS
    return {found.check: found.verdict for found in report.results}
