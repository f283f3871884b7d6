"""What `checks.py` declares, read from its syntax tree: listing labs never runs a lab's code."""

import ast
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from grader.percent import GRADE_ID

_LITERALS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "exercise": (str, "the id of an exercise, in quotes"),
    "points": ((int, float, str), "a number"),
    "hidden": (bool, "True or False"),
    "hint": (str, "a text in quotes"),
    "needs": (tuple, "a tuple of names of checks"),
    "trials": (int, "a whole number"),
    "gpu": (bool, "True or False"),
    "ranks": ((int, tuple), "a whole number or a tuple of them"),
}
_NEVER_READ = (
    "inputs",
    "verify",
    "tolerance",
    "limits",
    "public_verify",
    "services",
    "network",
    "compare",
    "unaliased",
    "group",
)


@dataclass(frozen=True, slots=True)
class CheckInfo:
    """What is public about a check."""

    name: str
    exercise: str
    title: str
    points: Decimal
    hidden: bool
    hint: str
    needs: tuple[str, ...]
    trials: int
    gpu: bool = False  # it touches CUDA
    ranks: int = 0  # the largest world that it has; 0: it is no experiment with ranks


def declared_checks(path: Path, problems: list[str]) -> list[CheckInfo]:
    """What every `@check(…)` of checks.py says about itself, without importing the file."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        problems.append(f"{path}: {error}; mend the Python.")
        return []
    checks: list[CheckInfo] = []
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(ast.Name("check"), args=[], keywords=keywords):
                    found = _declared_check(path, node, keywords, problems)
                    checks += [found] if found else []
    if not checks:
        problems.append(
            f"{path}: no function is decorated with @check(…); a lab needs at least one."
        )
    return checks


def _declared_check(
    path: Path, function: ast.FunctionDef, keywords: list[ast.keyword], problems: list[str]
) -> CheckInfo | None:
    place = f"{path}: line {function.lineno}: check {function.name}"
    values: dict[str, object] = {
        "hidden": False,
        "hint": "",
        "needs": (),
        "trials": 1,
        "ranks": 0,
        "gpu": False,
    }
    faults: list[str] = []
    for keyword in keywords:
        if keyword.arg in _LITERALS:
            try:
                values[keyword.arg] = ast.literal_eval(keyword.value)
            except ValueError:
                faults.append(
                    f"{keyword.arg} must be a literal, because checks.py is not run to read it"
                )
        elif keyword.arg not in _NEVER_READ:
            faults.append(f"unknown keyword {keyword.arg}; take it out")
    title = (ast.get_docstring(function) or "").split("\n")[0].strip()
    faults += [
        f"{key} must be {words}"
        for key, (kind, words) in _LITERALS.items()
        if not isinstance(values.get(key), kind)
    ]
    points, trials, needs = (_number(values.get("points")), values["trials"], values["needs"])
    if points is None or points < 0:
        faults.append("points must be a number that is not negative")
    if not isinstance(trials, int) or trials < 1:
        faults.append("trials must be 1 or more")
    if not title:
        faults.append("no docstring; its first line is the title that students read")
    if not GRADE_ID.fullmatch(function.name):
        faults.append("the name is too long; at most 64 letters, digits and '_'")
    ranks = values["ranks"] if isinstance(values["ranks"], tuple) else (values["ranks"],)
    worlds = [world for world in ranks if type(world) is int and world >= 0]
    if len(worlds) < len(ranks):
        faults.append("ranks must be a whole number or a tuple of them")
    problems += [f"{place}: {fault}." for fault in faults]
    if faults or points is None or not isinstance(trials, int) or not isinstance(needs, tuple):
        return None
    return CheckInfo(
        name=function.name,
        exercise=str(values["exercise"]),
        title=title,
        points=points,
        hidden=bool(values["hidden"]),
        hint=str(values["hint"]),
        needs=tuple(str(name) for name in needs),
        trials=trials,
        ranks=max(worlds, default=0),
        gpu=bool(values["gpu"]),
    )


def _number(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
