"""The student's side of a jail: runs the notebook, then forks once for every check.

Nothing here is trusted by the worker. Whatever the student's code does to this process, it can only
change the answers that it gives. Names that this module needs later are bound at import, so that a
notebook which patches `os.fork` or `select.poll` by accident does not break its own checks.
"""

import ast
import asyncio
import contextlib
import inspect
import linecache
import math
import os
import random
import re
import select
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from grader.inside import calls, classic, forbid, forks, jail, wire

SEED = 20_250_204  # public: random generators start from it in every notebook and in every check
CELL = "cell:"
MAX_TRACE = 20
PATIENCE_SECONDS = 600.0
LET_GO = 71  # the exit code of a check that was asked to its end; of any other the worker is told

# Triton asks at every kernel whether its interpreter is meant.
_KEPT = {name: os.environ[name] for name in ("TRITON_INTERPRET",) if name in os.environ}

_fork, _exit, _dup2, _waitpid = forks.fork, os._exit, os.dup2, os.waitpid
_listdir, _open, _close, _pidfd_open = os.listdir, os.open, os.close, os.pidfd_open
_monotonic, _sleep, _poll, _recv_fds = time.monotonic, time.sleep, select.poll, socket.recv_fds
_encode, _send, _receive = wire.encode, wire.send, wire.receive
_receive_frame = wire.receive_frame
_helpers = calls.helpers


def make_shell() -> Any:
    """An IPython shell without history, threads or terminal, warmed up by one cell."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.autoindent = False
    with tempfile.TemporaryDirectory(prefix="gradus-ipython-") as folder:  # it insists on one
        os.environ["IPYTHONDIR"] = folder
        shell = InteractiveShell.instance(config=config)
    shell.transform_cell("%time 1 + 1\n")
    _warm_up()
    classic.remember()
    return shell


def _warm_up() -> None:
    """Pay for first calls once, here, and not in every fork."""
    np.random.default_rng(0).standard_normal((2, 2)) @ np.eye(2)
    for name in (
        "concurrent.futures",
        "dataclasses",
        "functools",
        "itertools",
        "typing",
        "doctest",
    ):
        __import__(name)
    ast.unparse(ast.parse("def f(x):\n    return x + 1"))
    torch = sys.modules.get("torch")
    if torch is not None:  # it asks what processor this is, once, and a jail has no /proc/cpuinfo
        torch.equal(torch.arange(4.0).reshape(2, 2) @ torch.ones(2, 2) + 1, torch.ones(2, 2))
        torch.manual_seed(SEED)


def seed_everything() -> None:
    """Public constants: the same notebook draws the same numbers wherever it runs.

    `torch.manual_seed` also formats a stack for each kind of accelerator that is not there, which takes
    milliseconds; it is asked for once, at the warm-up, and remembers the seed for when one is started.
    """
    random.seed(SEED)
    np.random.seed(SEED % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.default_generator.manual_seed(SEED)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(SEED)


# --- cells -----------------------------------------------------------------------------------------


def run_cell(shell: Any, cell_id: str, source: str) -> dict[str, Any] | None:
    """Run one cell in the shell's namespace; an exception comes back as plain data."""
    name = f"{CELL}{cell_id}"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        code = compile(
            shell.transform_cell(source), name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, True
        )
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(types.FunctionType(code, shell.user_ns)())
        else:
            exec(code, shell.user_ns)  # noqa: S102
    except BaseException as error:
        return describe(error)
    finally:
        _flush()
    return None


def describe(error: BaseException) -> dict[str, Any]:
    """Type, text and the frames that lie in the student's own cells."""
    try:
        text = _without_traceback(str(error))[:2000]
    except BaseException:
        text = ""
    trace: list[list[Any]] = []
    where = error.filename or "" if isinstance(error, SyntaxError) else ""
    if isinstance(error, SyntaxError) and where.startswith(CELL):
        trace.append([where[len(CELL) :], error.lineno or 0, ""])
        text = (error.msg or text)[:2000]
    for frame, line in traceback.walk_tb(error.__traceback__):
        filename = frame.f_code.co_filename
        if filename.startswith(CELL):
            trace.append([filename[len(CELL) :], line or 0, frame.f_code.co_name[:200]])
    if len(trace) > MAX_TRACE:
        trace = [*trace[: MAX_TRACE // 2], *trace[-MAX_TRACE // 2 :]]
    return {"type": type(error).__name__[:200], "text": text, "trace": trace}


def _without_traceback(text: str) -> str:
    """Who waits for other processes raises with their whole traceback as text; its last line says it."""
    before, found, after = text.partition("Traceback (most recent call last):")
    if not found:
        return text
    said = before.removesuffix("Original ").strip(" -\n")
    last = re.sub(r"^(\S+: )\[/\S+:\d+\] ", r"\1", after.rstrip().rpartition("\n")[2])
    return f"{said} {last}".strip()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()


# --- the student's process -------------------------------------------------------------------------


def run_student(shell: Any, relay: socket.socket, channel_fd: int, out: int, err: int) -> None:
    """Run the notebook that comes over the channel; then fork for every check that is passed on."""
    channel = _enter(channel_fd, out, err)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(
        HOME=jail.HOME,
        PATH="/usr/local/bin:/usr/bin:/bin",
        USER="student",
        LANG="C.UTF-8",
        TMPDIR="/tmp",  # noqa: S108
        MPLBACKEND="Agg",
        OMP_NUM_THREADS="1",
        OPENBLAS_NUM_THREADS="1",
        GLOO_SOCKET_IFNAME="lo",  # or gloo looks up the host's name, which nobody here can tell it
        GRADUS="grading",
        **_KEPT,
    )
    question = _receive(channel, _monotonic() + PATIENCE_SECONDS, 2**28)
    forbid.forbid(question.get("forbid", []))
    seed_everything()
    results = []
    for index, (cell_id, source) in enumerate(question["cells"]):
        _say(channel, {"start": index})
        began = _monotonic()
        error = run_cell(shell, cell_id, source)
        results.append({"error": error, "seconds": _monotonic() - began})
    for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        signal.setitimer(timer, 0)  # what a cell wound up must not go off between checks
    wants_gpu = question.get("gpu", False) and os.path.exists("/dev/nvidiactl")
    forkable = (
        _forkable() and not wants_gpu
    )  # one CUDA context for the group, not one for each check
    _say(channel, {"cells": results, "forkable": forkable})
    checks = Checks(shell, in_place=question.get("in_place", False) and not forkable)
    if question["answer_here"]:
        checks.answer(channel)
        _exit(0)
    channel.close()
    checks.serve(relay)


def _enter(channel_fd: int, out: int, err: int) -> socket.socket:
    """Make the pipes our standard streams and the channel a non-blocking socket."""
    null = _open("/dev/null", os.O_RDONLY)
    for source, target in ((null, 0), (out, 1), (err, 2)):
        _dup2(source, target)
        _close(source)
    channel = socket.socket(fileno=channel_fd)
    channel.setblocking(False)
    return channel


def _forkable() -> bool:
    """A fork keeps only its own thread: locks held by others, and live process groups, would hang.

    Processes that the notebook left running would not survive until a check either.
    """
    try:
        threads = _listdir("/proc/self/task")
        with open(f"/proc/self/task/{threads[0]}/children") as file:
            alone = len(threads) == 1 and not file.read()
    except OSError:
        alone = False
    if any(
        _link(f"/proc/self/fd/{number}").startswith("/dev/nvidia")
        for number in _listdir("/proc/self/fd")
    ):
        return False  # CUDA does not survive a fork, whoever called it
    distributed = sys.modules.get("torch.distributed")
    return alone and not (
        distributed is not None and distributed.is_available() and distributed.is_initialized()
    )


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _say(channel: socket.socket, value: Any) -> None:
    _send(channel, _encode(value), _monotonic() + PATIENCE_SECONDS)


def _fork_patiently() -> int:
    """Fork, waiting a moment where a check beside this one has used up all processes."""
    for _ in range(200):
        try:
            return _fork()
        except BlockingIOError:
            _sleep(0.01)
    return _fork()


class Notebook:
    """What a check sees as `lab`: the notebook's names, by attribute."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        object.__setattr__(self, "_namespace", namespace)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._namespace[name]
        except KeyError:
            raise NameError(f"the notebook defines no `{name}`") from None


class Checks:
    """Answers the worker's questions, each check in a fork of the notebook's memory.

    `in_place`: here, one after the other, where that memory does not survive a fork. Then a check meets what
    the one before it left behind, and the worker believes only that it passed.
    """

    def __init__(self, shell: Any, *, in_place: bool = False) -> None:
        self.shell, self.in_place = shell, in_place
        self.streams = sys.stdout, sys.stderr

    def serve(self, relay: socket.socket) -> None:
        """Fork for each check that init passes on; the fork's end is told on its channel."""
        children: dict[int, tuple[int, int]] = {}  # pidfd → pid, our copy of its channel
        poll = _poll()
        poll.register(relay, select.POLLIN)
        while True:
            for ready, _ in poll.poll():
                if ready in children:
                    poll.unregister(ready)
                    self._tell_end(*children.pop(ready))
                    _close(ready)
                    continue
                order, descriptors, _, _ = _recv_fds(relay, 64, 3)
                if not order:
                    _exit(0)
                if self.in_place:
                    relay.send(b"%s %d" % (order, os.getpid()))
                    self._answer_in_place(descriptors)
                    continue
                pid = _fork_patiently()
                if pid == 0:
                    for pidfd, (_, other) in children.items():  # of the checks beside this one
                        _close(pidfd)
                        _close(other)
                    self._answer_and_exit(relay, descriptors)
                relay.send(b"%s %d" % (order, pid))  # so that init knows whom to stop
                pidfd = _pidfd_open(pid)
                children[pidfd] = pid, descriptors[0]
                poll.register(pidfd, select.POLLIN)
                for descriptor in descriptors[1:]:
                    _close(descriptor)

    def _answer_in_place(self, descriptors: list[int]) -> None:
        """One check, until the worker lets go of it; then what it wound up and redirected is put back."""
        channel = _enter(*descriptors)
        try:
            self.answer(channel)
        except wire.WireClosed:
            pass
        except BaseException as error:
            print(*traceback.format_exception_only(error), sep="", file=sys.stderr)
            _flush()
            _exit(70)
        _flush()
        channel.close()
        null = _open("/dev/null", os.O_RDWR)
        for descriptor in (0, 1, 2):
            _dup2(null, descriptor)
        _close(null)
        for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
            signal.setitimer(timer, 0)
        for undo in (sys.settrace, sys.setprofile, threading.settrace, threading.setprofile):
            undo(None)
        sys.stdout, sys.stderr = self.streams

    def _answer_and_exit(self, relay: socket.socket, descriptors: list[int]) -> None:
        """In the fork. Whatever happens, nothing returns into the loop above."""
        try:
            relay.close()
            channel = _enter(*descriptors)  # named, or Python would warn that nobody closes it
            self.answer(channel)
            _flush()
            _exit(LET_GO)
        except BaseException as error:  # its frames are ours and would tell nobody anything
            print(*traceback.format_exception_only(error), sep="", file=sys.stderr)
            _flush()
        finally:
            _exit(70)

    @staticmethod
    def _tell_end(pid: int, descriptor: int) -> None:
        """The fork is dead: say on its channel how it ended, then close our copy.

        When it was let go nobody listens any more.
        """
        code = os.waitstatus_to_exitcode(_waitpid(pid, 0)[1])
        if code == LET_GO:
            return _close(descriptor)
        channel = socket.socket(fileno=descriptor)
        with contextlib.suppress(OSError, wire.WireClosed, wire.WireTimeout):
            _send(channel, _encode({"ended": code}), _monotonic() + 0.1)
        channel.close()
        return None

    def answer(self, channel: socket.socket) -> None:
        """One check: its body once, then inputs and outputs, trial by trial, until we are let go."""
        question = _receive(channel, _monotonic() + PATIENCE_SECONDS, 2**28)
        if "tests" in question:  # a cell of a classic notebook, which is its own judge
            reply = classic.judge(self.shell, question, run_cell, describe)
            _flush()
            _send(channel, _encode(reply), _monotonic() + PATIENCE_SECONDS)
            return
        prepared = self.prepare(question["name"], question["body"])
        setting: dict[str, Any] | None = None
        while True:
            try:
                if question.get("setting"):  # before each trial: the services, the rank
                    setting = _receive(channel, _monotonic() + PATIENCE_SECONDS, 2**28)
                sent = _receive_frame(channel, _monotonic() + PATIENCE_SECONDS, 2**28)
            except wire.WireClosed:
                return
            began = _monotonic()
            inputs = sent.value()
            reply = self.trial(prepared, sent, inputs, channel, setting)
            if question.get("unaliased") and "outputs" in reply:
                reply["aliased"] = calls.aliased(reply["outputs"], inputs)
            _flush()
            reply["seconds"] = _monotonic() - began
            try:
                parts = _encode(reply)
            except wire.WireError as error:
                parts = _encode({"unsendable": str(error)})
            except (
                BaseException
            ) as error:  # no memory for a copy, an array over memory that is not its own
                parts = _encode({"exception": describe(error)})
            _send(channel, parts, _monotonic() + PATIENCE_SECONDS)

    @staticmethod
    def prepare(name: str, body: str) -> Callable[..., Any]:
        """The check's function in a namespace of its own; it never touches the notebook's."""
        namespace: dict[str, Any] = {"np": np, "numpy": np, "math": math}
        for module in ("labkit", "torch"):
            if module in sys.modules:
                namespace[module] = sys.modules[module]
        exec(compile(body, f"check:{name}", "exec"), namespace)  # noqa: S102
        function: Callable[..., Any] = namespace[name]
        return function

    def trial(
        self,
        function: Callable[..., Any],
        sent: wire.Received,
        inputs: dict[str, Any],
        channel: socket.socket,
        setting: dict[str, Any] | None,
    ) -> dict[str, Any]:
        """Call the check with one set of inputs and say what came out, and what it did to them."""
        seed_everything()
        lab = Notebook(self.shell.user_ns)
        try:
            first, proxies = _helpers(calls.Line(channel), setting) if setting else ([], {})
            outputs = function(lab, *first, **inputs, **proxies)
        except BaseException as error:
            return {"exception": describe(error)}
        return {
            "outputs": outputs,
            "changed": [] if sent.carries(inputs) else _changed(sent.value(), inputs),
        }


def _print(value: Any) -> bytes:
    try:
        return b"".join(bytes(part) for part in _encode(value))
    except wire.WireError:
        return b""


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [name for name in before if _print(before[name]) != _print(after[name])]
