"""Proves that a lab grades what it says: the reference passes, nothing else does.

In this order: its files agree with each other; the oracle confirms the reference; the reference passes
every check on several seeds; the starter and null answers (None, zeros, inputs, nan) earn nothing; each
file of `wrong/` fails the checks that it names, with the verdict that it names; each file of `cheats/`
earns nothing. Every check has to be named by at least one wrong solution, or nobody knows what it is for.
All of it runs in real jails: a lab that passes here is graded in the same way.
"""

import ast
import hashlib
import importlib.util
import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from grader import lint_rules
from grader.errors import LabError
from grader.lint_rules import Finding
from grader.mistakes import Mistake
from grader.notebook import reference_answers, student_notebook
from grader.protocol import CheckResult, GradingReport, GradingRequest, Verdict
from grader.referee import Referee, referee_for
from grader.runner import grade
from grader.sandbox.base import Sandbox
from labs.catalog import Lab, read_lab

NULL_ANSWERS = {
    "None": "None",
    "zero": "0.0",
    "nan": "float('nan')",
    "its first argument": "{first}",
    "zeros like its first argument": "np.zeros_like({first})",
    "all of its arguments": "({all},)",
}


@dataclass(slots=True)
class LintReport:
    """Everything that has to be mended before the lab may be published."""

    folder: str
    findings: list[Finding] = field(default_factory=list)
    graded: int = 0
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        return {"clean": self.clean, **asdict(self)}


def lint(
    folder: Path,
    sandbox: Sandbox,
    *,
    seeds: int = 5,
    on_progress: Callable[[str], None] = lambda text: None,
) -> LintReport:
    """Everything that is wrong with the lab in `folder`.

    Raises:
        GraderError: this host cannot grade at all.
    """
    began = time.perf_counter()
    report = LintReport(str(folder))
    try:
        lab = read_lab(folder)
        report.findings += lint_rules.import_findings(lab)
        if report.clean:
            Linter(lab, referee_for(lab), sandbox, report, on_progress).run(seeds)
    except LabError as error:  # loading the checks, or the reference on inputs of its own
        report.findings += lint_rules.broken_lab(error)
    report.seconds = time.perf_counter() - began
    return report


class Linter:
    """One run over one lab."""

    def __init__(
        self,
        lab: Lab,
        referee: Referee,
        sandbox: Sandbox,
        report: LintReport,
        on_progress: Callable[[str], None],
    ) -> None:
        self.lab, self.referee, self.sandbox = lab, referee, sandbox
        self.report, self.tell = report, on_progress
        self.reference = reference_answers(lab)

    def run(self, seeds: int) -> None:
        """The static rules first; the jail is asked only about a lab that is whole."""
        found = self.report.findings
        found += lint_rules.check_body_findings(self.lab, self.referee.checks)
        found += lint_rules.solution_findings(self.lab)
        wrong = lint_rules.mistakes(self.lab, "wrong", lint_rules.LEAST_WRONG, found)
        cheats = lint_rules.mistakes(self.lab, "cheats", lint_rules.LEAST_CHEATS, found)
        found += self.uncaught(wrong)
        if found:
            return
        found += self.oracle_findings(seeds)
        found += self.reference_findings(seeds)
        if found:
            return
        found += self.null_findings()
        for mistake in wrong.values():
            found += self.wrong_findings(mistake)
        for cheat in cheats.values():
            found += self.cheat_findings(cheat)

    def grade(
        self, answers: Mapping[str, str], seed: int = 0, only: set[str] | None = None
    ) -> GradingReport:
        """One submission through the real runner, with inputs of its own for each seed."""
        return grade(
            self._request(answers, seed),
            sandbox=self.sandbox,
            lab=self.lab,
            only=only,
            name_mistakes=False,
        )

    def ask(
        self, answers: Mapping[str, str], names: Iterable[str], seed: int = 0
    ) -> dict[str, CheckResult]:
        """The results of some checks alone, and of those that they need: a fifth of the time."""
        report = self.grade(answers, seed, only=set(names))
        return {result.check: result for result in report.results}

    def _request(self, answers: Mapping[str, str], seed: int = 0) -> GradingRequest:
        notebook = student_notebook(self.lab, answers).decode("utf-8")
        self.report.graded += 1
        return GradingRequest(
            attempt=f"lint-{self.report.graded}",
            lab=self.lab.slug,
            lab_hash=self.lab.content_hash,
            submission_sha256=hashlib.sha256(notebook.encode()).hexdigest(),
            seed=hashlib.sha256(f"lint {self.lab.content_hash} {seed}".encode()).hexdigest(),
            notebook=notebook,
        )

    def uncaught(self, wrong: Mapping[Path, Mistake]) -> Iterator[Finding]:
        named = {name for mistake in wrong.values() for name in mistake.caught_by}
        for check in self.lab.checks:
            if check.name not in named:
                yield Finding(
                    str(self.lab.folder / "checks.py"),
                    f"check {check.name}: no file of wrong/ says that it catches it",
                    "Add the mistake that it is for",
                )

    def oracle_findings(self, seeds: int) -> Iterator[Finding]:
        path = self.lab.folder / "oracle.py"
        if not path.exists():
            yield Finding(str(path), "missing", "Hold the reference against something independent")
            return
        oracle = import_file(path)
        needs: dict[str, tuple[str, ...]] = dict.fromkeys(
            getattr(oracle, "NEEDS_TORCH", ()), ("torch",)
        )
        needs |= getattr(oracle, "NEEDS", {})
        without: set[str] = set()
        for package in sorted({package for packages in needs.values() for package in packages}):
            if importlib.util.find_spec(package) is None:
                left_out = sorted(name for name, packages in needs.items() if package in packages)
                self.report.notes.append(
                    f"{package} is not installed; left out: {', '.join(left_out)}"
                )
                without |= set(left_out)
        for name, function in oracle_functions(oracle).items():
            if name in without:
                continue
            self.tell(f"oracle {name}")
            for seed in range(seeds):
                try:
                    function(self.referee.reference, np.random.default_rng(seed))
                except Exception as error:
                    yield Finding(
                        str(path),
                        f"{name}, seed {seed}: {type(error).__name__}: {error}",
                        "Correct the reference in lab.py, or the oracle",
                        function.__code__.co_firstlineno,
                    )
                    break

    def reference_findings(self, seeds: int) -> Iterator[Finding]:
        for seed in range(seeds):
            self.tell(f"reference, seed {seed}")
            for result in self.grade(self.reference, seed).results:
                if result.verdict is not Verdict.PASSED:
                    yield Finding(
                        str(self.lab.folder / "lab.py"),
                        f"the reference does not pass {result.check} on seed {seed}: {said(result)}",
                        "Correct the solution, the check or its tolerance",
                    )

    def null_findings(self) -> Iterator[Finding]:
        starter = {cell.id: cell.source for cell in self.lab.cells if cell.role == "exercise"}
        nulls = {"the starter": starter}
        for name, expression in NULL_ANSWERS.items():
            nulls[f"returning {name}"] = {
                cell: with_null_answers(source, expression) for cell, source in starter.items()
            }
        for name, answers in nulls.items():
            self.tell(f"null: {name}")
            for result in self.grade(answers).results:
                if result.points:
                    yield Finding(
                        str(self.lab.folder / "checks.py"),
                        f"check {result.check}: {name} earns {result.points} points",
                        "Ask for something that cannot be right by accident",
                    )

    def wrong_findings(self, mistake: Mistake) -> Iterator[Finding]:
        self.tell(f"wrong/{mistake.file.name}")
        results = self.ask({**self.reference, **mistake.cells}, mistake.caught_by)
        for name, verdict in mistake.caught_by.items():
            if results[name].verdict is not verdict:
                yield Finding(
                    str(mistake.file),
                    f"{name} ends with {said(results[name])}, not with {verdict.value}",
                    "Sharpen the check, or name the right one under 'caught by'",
                )

    def cheat_findings(self, cheat: Mistake) -> Iterator[Finding]:
        self.tell(f"cheats/{cheat.file.name}")
        for result in self.grade(cheat.cells).results:
            if result.points:
                yield Finding(
                    str(cheat.file),
                    f"the cheat earns {result.points} points in {result.check}",
                    "Change the check so that only the work itself passes",
                )


def oracle_functions(oracle: ModuleType) -> dict[str, Any]:
    """The public functions of an oracle.py that take the reference and a random generator."""
    return {
        name: function
        for name, function in vars(oracle).items()
        if inspect.isfunction(function)
        and list(inspect.signature(function).parameters) == ["lab", "rng"]
    }


def with_null_answers(source: str, expression: str) -> str:
    """Starter code whose unimplemented functions return an expression in place of raising."""
    tree = ast.parse(source)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = [argument.arg for argument in function.args.args]
        names += [function.args.vararg.arg] if function.args.vararg else []
        names = [name for name in names if name != "self"] or names or ["None"]
        answer = expression.format(first=names[0], all=", ".join(names))
        function.body = [
            ast.parse(f"return {answer}").body[0] if _is_stub(statement) else statement
            for statement in function.body
        ]
    return ast.unparse(ast.fix_missing_locations(tree))


def _is_stub(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Raise) and "NotImplementedError" in ast.unparse(statement)


def said(result: CheckResult) -> str:
    """`failed (grad[0] is 1.0; 2.0 is expected)`."""
    return f"{result.verdict.value} ({result.message})" if result.message else result.verdict.value


def import_file(path: Path) -> ModuleType:
    """A trusted file of a lab as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"gradus_{path.parent.name}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise LabError(f"{path} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
