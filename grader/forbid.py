"""What a lab forbids: where an answer uses it, and the flags that tell a human so.

A forbidden *package* is forbidden by absence: it is not in the lab's zygote. A forbidden *function* of a
package that is there (`numpy.einsum`) is replaced in the jail by one that raises, and looked for in the
answers. Neither is a wall: code can hide what it calls. So a flag never changes a score, and what a lab
is about has to be verified by its checks.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence

from grader.notebook import CodeCell
from grader.protocol import CellResult, CheckResult, Flag

KIND = "forbidden"
RAISED = "ForbiddenError"
IMPORTERS = ("__import__", "import_module")
MAX_FLAGS = 50


def functions(forbid: Sequence[str]) -> list[str]:
    """The dotted names among what is forbidden."""
    return [name for name in forbid if "." in name]


def flags(
    forbid: Sequence[str],
    cells: Sequence[CodeCell],
    answers: Mapping[str, str],
    cell_results: Sequence[CellResult],
    results: Sequence[CheckResult],
) -> tuple[Flag, ...]:
    """Everything that a human should look at, from the answers' text and from what was raised."""
    found = list(_in_text(forbid, cells, answers)) if forbid else []
    for cell in cell_results:
        if cell.exception is not None and cell.exception.type == RAISED:
            line = cell.exception.trace[-1].line if cell.exception.trace else 0
            found.append(_flag(f"called {cell.exception.text}", cell.cell, line))
    for result in results:
        if result.exception is not None and result.exception.type == RAISED:
            trace = result.exception.trace
            where = (trace[-1].cell, trace[-1].line) if trace else ("", 0)
            found.append(_flag(f"called {result.exception.text}", *where))
    return tuple(dict.fromkeys(found))[:MAX_FLAGS]


def _flag(text: str, cell: str, line: int) -> Flag:
    return Flag(kind=KIND, text=text[:500], cell=cell[:100], line=max(0, line))


def _in_text(
    forbid: Sequence[str], cells: Sequence[CodeCell], answers: Mapping[str, str]
) -> Iterator[Flag]:
    aliases: dict[str, str] = {}
    trees = {}
    for cell in cells:
        try:
            trees[cell.id] = ast.parse(cell.source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        aliases |= _aliases(trees[cell.id])
    for cell_id, tree in trees.items():
        if cell_id in answers:
            for name, line in _uses(tree, aliases):
                if any(name == word or name.startswith(f"{word}.") for word in forbid):
                    yield _flag(f"uses {name}", cell_id, line)


def _aliases(tree: ast.AST) -> dict[str, str]:
    """Local name → dotted name, of everything that is imported."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def _uses(tree: ast.AST, aliases: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Dotted names that code mentions, as far as its text says."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Name | ast.Attribute):
            if name := _dotted(node, aliases):
                yield name, node.lineno
        elif isinstance(node, ast.Call):
            yield from _spelled(node, aliases)


def _dotted(node: ast.expr, aliases: Mapping[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in aliases:
        return ""
    return ".".join([aliases[node.id], *reversed(parts)])


def _spelled(call: ast.Call, aliases: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """`getattr(np, "einsum")`, `import_module("torch")`, `__import__("torch")`."""
    texts = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    called = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    called = call.func.id if isinstance(call.func, ast.Name) else called
    if called in IMPORTERS and texts:
        yield texts[0], call.lineno
    if called == "getattr" and texts and (base := _dotted(call.args[0], aliases)):
        yield f"{base}.{texts[0]}", call.lineno
