"""What can be wrong with a lab without running it in a jail: names, imports, regions, heads of files."""

import ast
import builtins
import symtable
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.checks import Check
from grader.errors import LabError
from grader.mistakes import Mistake, read_mistake
from grader.notebook import source_cells
from labs.catalog import Lab

LEAST_WRONG, LEAST_CHEATS = 5, 3
BODY_NAMES = {"np", "numpy", "math", "labkit"}
CHECKS_IMPORTS = {"numpy", "torch", "labkit", "grader.checks"}
NOTEBOOK_IMPORTS = {"numpy", "torch", "triton", "labkit"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend: where it is, what it is, and how."""

    file: str
    what: str
    remedy: str
    line: int | None = None
    cell: str | None = None

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line else "")
        cell = f" cell {self.cell}:" if self.cell else ""
        return f"{place}:{cell} {self.what}. {self.remedy}."


def broken_lab(error: LabError) -> Iterator[Finding]:
    """One finding for each line of a LabError, which names file and remedy itself."""
    for line in str(error).split("\n"):
        file, _, rest = line.partition(": ")
        what, _, remedy = rest.rstrip(".").rpartition("; ")
        remedy = remedy if what else "Mend it"
        yield Finding(file, what or rest.rstrip("."), remedy[:1].upper() + remedy[1:])


def check_body_findings(lab: Lab, checks: tuple[Check, ...]) -> Iterator[Finding]:
    """Bodies run in the jail on their own: they may use their parameters and a few names."""
    file = str(lab.folder / "checks.py")
    allowed = BODY_NAMES | ({"torch"} if lab.zygote != "numpy" else set())
    for check in checks:
        line = check.function.__code__.co_firstlineno
        tree = ast.parse(check.body)
        definition = tree.body[0]
        assert isinstance(definition, ast.FunctionDef)
        parameters = [a.arg for a in definition.args.args + definition.args.kwonlyargs]
        if parameters[:1] != ["lab"]:
            yield Finding(
                file, f"check {check.name}: the first parameter is not lab", "Call it lab", line
            )
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield Finding(
                    file,
                    f"check {check.name}: imports in its body",
                    f"Its body may use {', '.join(sorted(allowed))} without importing them",
                    line + node.lineno - 1,
                )
        unknown = sorted(_globals(symtable.symtable(check.body, file, "exec")) - allowed)
        for name in unknown:
            if name != check.name and not hasattr(builtins, name):
                yield Finding(
                    file,
                    f"check {check.name}: uses {name}, which does not exist in the jail",
                    f"Only the body goes there; pass {name} as an input or define it inside",
                    line,
                )
        if not check.hint:
            yield Finding(file, f"check {check.name}: no hint", "Say what to look at", line)


def _globals(table: symtable.SymbolTable) -> set[str]:
    """Every name that a body takes from outside itself."""
    found = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_global() and symbol.is_referenced()
    }
    for child in table.get_children():
        found |= _globals(child)
    return found


def import_findings(lab: Lab) -> Iterator[Finding]:
    """lab.py and checks.py import the standard library and what the design names, no more."""
    for name, allowed in (("checks.py", CHECKS_IMPORTS), ("lab.py", NOTEBOOK_IMPORTS)):
        path = lab.folder / name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            else:
                continue
            for module in modules:
                top = module.split(".")[0]
                if top in sys.stdlib_module_names or {module, top} & allowed:
                    continue
                yield Finding(
                    str(path),
                    f"imports {module}",
                    f"Use the standard library, {', '.join(sorted(allowed))}",
                    node.lineno,
                )


def solution_findings(lab: Lab) -> Iterator[Finding]:
    """Every exercise cell has something to do, and its solution is Python that differs from it."""
    for cell in source_cells(lab):
        if not cell.is_solution:
            continue
        if "BEGIN SOLUTION" not in cell.source:
            yield Finding(
                str(lab.folder / "lab.py"),
                "a solution cell without a solution region; students would get an empty cell",
                "Write ### BEGIN SOLUTION and ### END SOLUTION around the answer",
                cell.line,
                cell.grade_id,
            )


def mistakes(lab: Lab, kind: str, least: int, findings: list[Finding]) -> dict[Path, Mistake]:
    """The readable files of `wrong/` or `cheats/`; what is wrong with the others goes to `findings`."""
    found: dict[Path, Mistake] = {}
    for path in sorted((lab.folder / kind).glob("*.py")):
        try:
            mistake = read_mistake(path)
        except LabError as error:
            findings += broken_lab(error)
            continue
        faults = list(_head_faults(lab, kind, mistake))
        findings += [Finding(str(path), what, remedy) for what, remedy in faults]
        if not faults:
            found[path] = mistake
    if len(list((lab.folder / kind).glob("*.py"))) < least:
        findings.append(
            Finding(str(lab.folder / kind), f"fewer than {least} files", "Add those you would try")
        )
    return found


def _head_faults(lab: Lab, kind: str, mistake: Mistake) -> Iterator[tuple[str, str]]:
    exercise_cells = {cell.id for cell in lab.cells if cell.role == "exercise"}
    for cell in mistake.cells.keys() - exercise_cells:
        yield f"replaces {cell!r}, which is no exercise cell", "Head cells with ids of lab.py"
    for name in mistake.caught_by.keys() - {check.name for check in lab.checks}:
        yield f"caught by {name!r}, which is no check", "Name a function of checks.py"
    if kind == "wrong" and not mistake.caught_by:
        yield "does not say what catches it", "Add a line '# caught by: name_of_check'"
    if kind == "wrong" and not mistake.hint:
        yield "has no hint", "Add a line '# hint: …' for the student who makes this mistake"
