"""Runs one test cell of a classic notebook in a fork of the student's process, as far as that can be trusted.

The asserts stand where the student's code stood, so nothing here is a wall. It takes away what is easy:
before a test runs, builtins, the modules that tests are written with and the interpreter's hooks are put
back as they were before the first cell; names of builtins in the test mean the builtins; an object that says
itself what it is equal to is refused where the test compares. A test counts as passed only when its last
statement was executed and this executor says so on the question's own channel: an exit, a crash or silence
is a failure. docs/threat-model.md lists what still succeeds.
"""

import ast
import asyncio
import builtins
import contextlib
import gc
import inspect
import io
import math
import signal
import sys
import threading
import types
from typing import Any

import numpy as np

# Imported once, in the zygote, so that they are there to be remembered.
LIKELY = ("unittest", "unittest.mock", "numpy.testing", "operator", "re", "random", "inspect")
REMEMBERED = (
    "sys",
    "os",
    "io",
    "gc",
    "time",
    "signal",
    "threading",
    "contextlib",
    "ast",
    *LIKELY,
    "unittest.case",
    "numpy",
    "numpy._core.numeric",
    "numpy._core.fromnumeric",
    "numpy.linalg",
    "numpy.testing._private.utils",
    "math",
    "cmath",
    "itertools",
    "functools",
    "collections",
    "copy",
    "types",
    "warnings",
    "torch",
    "torch.testing",
    "torch.testing._comparison",
)
PLAIN = "gradus "  # with a space: no notebook can spell such a name
COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__")
TRUTH = ("__bool__", "__len__")
DEPTH, ITEMS = 3, 1000

_type, _mro = type, type.__dict__["__mro__"].__get__
_isinstance, _getattr = isinstance, getattr
_compile, _eval, _settrace, _setprofile = compile, eval, sys.settrace, sys.setprofile
_signal, _setitimer, _update = signal.signal, signal.setitimer, dict.update
_builtins_now: dict[str, Any] = vars(builtins)
_builtins_then: dict[str, Any] = {}


class Pristine:
    """The interpreter as it was before any notebook, taken in the zygote."""

    def __init__(self) -> None:
        for name in LIKELY:
            with contextlib.suppress(ImportError):
                __import__(name)
        self.builtins = dict(vars(builtins))
        self.modules = {n: sys.modules[n] for n in REMEMBERED if n in sys.modules}
        self.names = {name: dict(vars(module)) for name, module in self.modules.items()}
        self.classes: list[tuple[type, dict[str, Any]]] = []
        self.functions: list[tuple[types.FunctionType, tuple[Any, ...]]] = []
        for name, names in self.names.items():
            if not name.startswith("torch"):
                for value in names.values():
                    self._remember(value, name.partition(".")[0])
        self.path, self.finders, self.hooks = list(sys.path), list(sys.meta_path), sys.path_hooks[:]
        self.recursion = sys.getrecursionlimit()
        self.libraries = (sys.prefix, sys.base_prefix, "<frozen", "<__array_function__")

    def _remember(self, value: Any, package: str) -> None:
        """Functions with their code, and classes of the package with what they define."""
        value = getattr(value, "_implementation", value)  # of numpy's dispatchers
        if isinstance(value, types.FunctionType):
            state = (value.__code__, value.__defaults__, value.__kwdefaults__)
            self.functions.append((value, state))
        elif (
            isinstance(value, type)
            and value.__module__.partition(".")[0] == package
            and value.__flags__ & (1 << 9)  # Py_TPFLAGS_HEAPTYPE: the others cannot be changed
        ):
            self.classes.append((value, dict(vars(value))))
            for member in vars(value).values():
                if isinstance(member, types.FunctionType):
                    state = (member.__code__, member.__defaults__, member.__kwdefaults__)
                    self.functions.append((member, state))

    def bring_back(self) -> None:
        """Undo what a notebook did to the parts that a test leans on."""
        _settrace(None)
        _setprofile(None)
        _update(_builtins_now, _builtins_then)  # first, for everything below leans on them
        _put_back(_builtins_now, self.builtins)
        for name, module in self.modules.items():
            sys.modules[name] = module
            _put_back(vars(module), self.names[name])
        for function, state in self.functions:
            function.__code__, function.__defaults__, function.__kwdefaults__ = state
        for cls, names in self.classes:
            for key, value in names.items():
                if vars(cls).get(key) is not value:
                    with contextlib.suppress(AttributeError, TypeError):
                        _type.__setattr__(cls, key, value)
        threading.settrace(None)
        threading.setprofile(None)
        gc.callbacks.clear()
        sys.path[:], sys.meta_path[:], sys.path_hooks[:] = self.path, self.finders, self.hooks
        sys.setrecursionlimit(self.recursion)
        sys.displayhook, sys.excepthook = sys.__displayhook__, sys.__excepthook__
        for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
            _setitimer(timer, 0)
        for number in (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGUSR1):
            _signal(number, signal.SIG_DFL)
        for name, descriptor in (("stdout", 1), ("stderr", 2)):
            stream = io.TextIOWrapper(io.FileIO(descriptor, "w", closefd=False), "utf-8", "replace")
            setattr(sys, name, stream)

    def foreign(self, value: Any, authored: frozenset[str], methods: tuple[str, ...]) -> str:
        """The name of the student's own class that decides how this value compares, or nothing."""
        for cls in _mro(_type(value)):
            for method in methods:
                code = _getattr(vars(cls).get(method), "__code__", None)
                if (
                    code is not None
                    and not code.co_filename.startswith(self.libraries)
                    and cls.__name__ not in authored
                ):
                    return str(cls.__name__)
        return ""


_pristine: Pristine | None = None


def remember() -> None:
    """Take the state to go back to; called once, in the zygote."""
    global _pristine  # noqa: PLW0603
    _pristine = Pristine()
    _builtins_then.update(_pristine.builtins)


def _put_back(now: dict[str, Any], then: dict[str, Any]) -> None:
    for name in [name for name in now if name not in then and not name.startswith("__")]:
        if isinstance(now[name], types.ModuleType):
            continue  # a submodule that was imported since
        del now[name]
    for name, value in then.items():
        if now.get(name) is not value:
            now[name] = value


class _Hardened(ast.NodeTransformer):
    """A test in which builtins are the builtins and operands of comparisons are looked at."""

    def __init__(self, free: frozenset[str]) -> None:
        self.free = free  # names of builtins that the author defines nowhere

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in self.free:
            return ast.copy_location(ast.Name(PLAIN + node.id, ast.Load()), node)
        return node

    def _looked_at(self, node: ast.expr, how: str) -> ast.expr:
        name = ast.Name(f"{PLAIN}{how}", ast.Load())
        return ast.copy_location(ast.Call(name, [node], []), node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        node.left = self._looked_at(node.left, "compared")
        node.comparators = [self._looked_at(item, "compared") for item in node.comparators]
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            node.operand = self._looked_at(node.operand, "truth")
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        self.generic_visit(node)
        node.test = self._looked_at(node.test, "truth")
        return node


def _namespace_of_builtins(pristine: Pristine, authored: frozenset[str]) -> dict[str, Any]:
    def looked_at(value: Any, methods: tuple[str, ...], depth: int = 0) -> Any:
        name = pristine.foreign(value, authored, methods)
        if name:
            raise AssertionError(
                f"the test meets an object of the notebook's own class {name}, which says itself what "
                "it is equal to; give back a plain value"
            )
        if depth < DEPTH and _type(value) in (list, tuple, set, frozenset, dict):
            parts = value.values() if _type(value) is dict else value
            for _, part in zip(range(ITEMS), parts, strict=False):
                looked_at(part, COMPARISONS, depth + 1)
        return value

    names = dict(pristine.builtins)
    names |= {PLAIN + name: value for name, value in pristine.builtins.items()}
    names[f"{PLAIN}compared"] = lambda value: looked_at(value, COMPARISONS)
    names[f"{PLAIN}truth"] = lambda value: looked_at(value, TRUTH)
    return names


def judge(shell: Any, question: dict[str, Any], run_cell: Any, describe: Any) -> dict[str, Any]:
    """Run what goes before, then the test; says how it ended, and the number it ends with if it does."""
    assert _pristine is not None
    authored = frozenset(question["authored"])
    for cell_id, source in question["before"]:
        _pristine.bring_back()
        run_cell(shell, cell_id, source)
    _pristine.bring_back()
    names = shell.user_ns
    names["__builtins__"] = _namespace_of_builtins(_pristine, authored)
    try:
        value = _run(shell, question["name"], question["tests"], names, authored)
    except BaseException as error:
        return {"exception": describe(error)}
    return {"done": True, "value": value}


def _run(
    shell: Any, name: str, source: str, names: dict[str, Any], authored: frozenset[str]
) -> float | None:
    tree = _tree(shell, name, source)
    bound = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and _stores(node.ctx)
    } | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    assert _pristine is not None
    free = frozenset(_pristine.builtins) - authored - bound - {"__name__", "__debug__"}
    ends_with = tree.body[-1] if tree.body else None
    counts = isinstance(ends_with, ast.Expr) and not source.rstrip().endswith(";")
    tree = ast.fix_missing_locations(_Hardened(free).visit(tree))
    last = tree.body.pop() if counts else None
    _one(_compile(tree, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, True), names)
    if last is None:
        return None
    expression = ast.Expression(last.value)
    value = _one(_compile(expression, name, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, True), names)
    if _type(value) in (int, float):
        return float(value) if math.isfinite(value) else float("nan")
    if _isinstance(value, np.number) and _type(value).__module__ == "numpy":
        return float(value.real)
    return None


def _tree(shell: Any, name: str, source: str) -> ast.Module:
    """The test as Python; the notebook's shell is asked only where there are magics in it."""
    try:
        tree = _compile(source, name, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        text = shell.transform_cell(source)
        tree = _compile(text, name, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    module: ast.Module = tree
    return module


def _one(code: types.CodeType, names: dict[str, Any]) -> Any:
    if code.co_flags & inspect.CO_COROUTINE:
        return asyncio.run(types.FunctionType(code, names)())
    return _eval(code, names)


def _stores(context: ast.expr_context) -> bool:
    return not _isinstance(context, ast.Load)
