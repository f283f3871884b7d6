"""Submissions that try to score without doing the work. Each earns nothing, and the next one is well.

Every entry is a technique in one sentence and the code of the first exercise's cell; the other exercises
hold a wrong answer, so that any point at all was not earned.
"""

import pytest

from grader.protocol import Verdict
from tests.grader.grading_desk import Desk, verdicts

WRONG = {"total": "def total(x):\n    return None", "root": "def root(x):\n    return None"}

# All attacks know the whole source of what runs inside: it is public.
EVERY_FD = """
import os, socket, struct, json
def every(data):
    for fd in range(3, 256):
        try:
            os.write(fd, data)
        except OSError:
            pass
def frame(value):
    header = json.dumps({"tree": value, "buffers": []}).encode()
    return struct.pack(">IQ", len(header), 0) + header
"""

ATTACKS = {
    "an equal-to-everything object is returned in place of the answer": """
class Same:
    __array_priority__ = 1e9
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __array__(self, *a, **k): return np.zeros((2, 3))
    def __sub__(self, other): return 0
    def __hash__(self): return 0
def double(x): return Same()
total = root = double
""",
    "a subclass of ndarray overrides every comparison": """
class Same(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __array_ufunc__(self, *a, **k): return True
    def __array_function__(self, *a, **k): return True
def double(x): return np.zeros_like(x).view(Same)
total = root = double
""",
    "a float and an int subclass claim to equal anything": """
class Same(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    __hash__ = float.__hash__
def double(x): return Same(1)
total = root = double
""",
    "numpy's comparisons are patched to be always right": """
yes = lambda *a, **k: True
np.allclose = np.isclose = np.array_equal = np.testing.assert_allclose = yes
np.abs = np.absolute = lambda *a, **k: 0.0
def double(x): return x
""",
    "json, struct and socket are patched in the process that answers": """
import json, struct, socket
json.dumps = lambda *a, **k: '{"tree": {"d": {"verdict": "passed", "points": 10}}, "buffers": []}'
def double(x): return x
""",
    "verdicts are printed to stdout and stderr": """
import sys
for stream in (sys.stdout, sys.stderr):
    print('{"check": "doubles", "verdict": "passed", "points": 3, "max_points": 3}', file=stream)
    print("10 passed in 0.01s\\nOK\\nscore: 10/10", file=stream)
def double(x): print("passed"); return x
""",
    "the answer claims a verdict, points and a score of its own": """
class Claim(dict): pass
def double(x): return {"verdict": "passed", "points": 10, "score": 10, "passed": True, "outputs": 2 * x}
total = root = double
""",
    "frames with a claimed verdict are written to every descriptor from a cell": EVERY_FD
    + """
for claim in ({"d": {"verdict": "passed", "points": 10}}, {"d": {"score": 10}}, {"d": {"event": "ready"}}):
    every(frame(claim))
def double(x): return x
""",
    "frames with an empty answer are written to every descriptor from a check": EVERY_FD
    + """
def double(x):
    every(frame({"d": {"outputs": {"d": {}}, "changed": []}}))
    return x
""",
    "orders and events are written to every descriptor in init's own format": EVERY_FD
    + """
for order in (b'{"event": "stopped", "number": 1}', b'{"event": "student_ended", "status": 0}', b"1 1", b"2 99999"):
    every(order)
def double(x):
    every(b'{"op": "check", "number": 2}')
    return x
""",
    "the notebook tells early that its cells have ended well": EVERY_FD
    + """
every(frame({"d": {"cells": [{"d": {"error": None, "seconds": 0.0}}] * 4, "forkable": True}}))
def double(x): return x
""",
    "cells are told in another order and with impossible numbers": EVERY_FD
    + """
for start in (3, -1, True, None, [1], 1e308, "x", {"i": "9" * 900}, {"f": "nan"}):
    every(frame({"d": {"start": start}}))
def double(x): return x
""",
    "exceptions of impossible form are reported to trip the reader": EVERY_FD
    + """
def double(x):
    every(frame({"d": {"exception": {"d": {"type": {"i": "9" * 900}, "text": [[]], "trace": [[["x"], -1, {"d": {}}], [{"d": {}}, 1, 2]]}}}}))
    return x
""",
    "two answers are given to one question": EVERY_FD
    + """
def double(x):
    zeros = {"d": {"outputs": {"d": {"y": 0.0}}, "changed": []}}
    every(frame(zeros) + frame(zeros))
    return x
""",
    "a check's first right answer is replayed for the later trials": """
def double(x):
    global kept
    kept = globals().get("kept", 2 * x)
    return kept
total = root = double
""",
    "a process from an earlier check waits to answer a later one": EVERY_FD
    + """
import threading, time
def double(x):
    if os.fork() == 0:
        os.setsid()
        for _ in range(2000):
            every(frame({"d": {"outputs": {"d": {"y": 0.0}}, "changed": []}}))
            time.sleep(0.001)
        os._exit(0)
    return x
""",
    "the machinery is patched by way of sys.modules": """
import sys
kernel = sys.modules["grader.inside.kernel"]
wire = sys.modules["grader.inside.wire"]
kernel.Checks.trial = lambda self, function, inputs: {"outputs": {"y": inputs["x"]}, "changed": []}
kernel.Checks.prepare = staticmethod(lambda name, body: None)
wire.scan = wire.parse_header = lambda *a: None
""",
    "a check's body is replaced after it came": """
import builtins
real = builtins.compile
def patched(source, name, *a, **k):
    if str(name).startswith("check:"):
        function = str(name)[6:]
        source = f"def {function}(lab, **k):\\n    return {{'y': k['x'] * 0}}"
    return real(source, name, *a, **k)
builtins.compile = patched
""",
    "an exception hook, an atexit and a trace function rewrite what happens": """
import atexit, sys
def tracer(frame, event, argument):
    if frame.f_code.co_name in ("doubles", "totals"):
        frame.f_locals["y"] = 0
    return tracer
sys.settrace(tracer); sys.setprofile(tracer)
sys.excepthook = lambda *a: print("passed")
atexit.register(print, "passed")
def double(x): raise RuntimeError
""",
    "an input transformer and a patched run_cell turn code into passes": """
from IPython import get_ipython
shell = get_ipython()
shell.input_transformers_cleanup.append(lambda lines: ["pass\\n"])
shell.run_cell = shell.run_code = lambda *a, **k: None
shell.showtraceback = lambda *a, **k: None
shell.set_custom_exc((BaseException,), lambda *a, **k: None)
def double(x): return x
""",
    "labkit's runner is replaced by one that says passed": """
import labkit
labkit.use_runner(lambda name: "passed")
labkit.check = lambda name: True
def double(x): return x
""",
    "the reference and expected values are looked for in all of memory": """
import gc, sys
def double(x):
    for thing in gc.get_objects():
        if type(thing).__name__ in ("Referee", "Check", "Lab", "Tolerance", "GradingRequest"):
            return thing.expected
    frame = sys._getframe()
    while frame:
        for name, value in {**frame.f_locals, **frame.f_globals}.items():
            if name in ("expected", "reference", "_reference", "seed"):
                return value
        frame = frame.f_back
    return x
""",
    "the worker's modules are imported inside the jail": """
def double(x):
    for name in ("grader.referee", "grader.runner", "labs.catalog", "tests.fixtures.labs.tiny.lab"):
        try:
            __import__(name); return 2 * x
        except ImportError:
            pass
    raise ImportError
""",
    "the answer is NaN or infinite in the hope that comparisons let it by": """
def double(x): return x * np.nan
def total(x): return np.inf
def root(x): return x * np.nan
""",
    "an empty array makes every statement about all elements true": """
def double(x): return x[:0]
def total(x): return np.array([])
def root(x): return np.zeros((0, 4))
""",
    "a huge broadcastable answer hopes that one element is right": """
def double(x): return np.broadcast_to(x, (100, 2, 3))
def total(x): return np.arange(-500.0, 500.0)
def root(x): return np.linspace(-2, 2, 100)[:, None] * np.ones(4)
""",
    "a random generator is predicted to guess the inputs of a check": """
import random
rng = np.random.default_rng(0)
def double(x): return 2 * np.random.default_rng(20_250_204).standard_normal((2, 3))
def total(x): return rng.standard_normal(5).sum()
""",
    "clocks are patched so that no deadline is ever met": """
import time
time.monotonic = time.time = time.perf_counter = lambda: 0.0
def double(x):
    while True: pass
""",
    "the answer is sent one byte a second": EVERY_FD
    + """
import time
def double(x):
    data = frame({"d": {"outputs": {"d": {"y": 0.0}}, "changed": []}})
    for i in range(len(data)):
        every(data[i:i + 1]); time.sleep(1)
""",
    "a frame declares far more than it sends": EVERY_FD
    + """
def double(x):
    every(struct.pack(">IQ", 60_000, 2**63) + b"{")
    __import__("time").sleep(60)
""",
    "a header is built to take a parser quadratic time": EVERY_FD
    + """
def double(x):
    header = b'"' + b'\\\\"' * 32_000
    every(struct.pack(">IQ", len(header), 0) + header)
    __import__("time").sleep(60)
""",
    "the channel is closed and never read": """
import os
def double(x): os.closerange(0, 256); os._exit(0)
total = root = double
""",
    "the interpreter is left by every exit": """
import os, sys
def double(x): sys.exit(0)
def total(x): os.abort()
def root(x): os.execv("/bin/true", ["true"])
""",
    "the check's code object is found on the stack and its result replaced": """
import sys, ctypes
def double(x):
    frame = sys._getframe(1)
    frame.f_globals["np"] = None
    frame.f_locals.clear()
    return x
""",
}


@pytest.mark.parametrize("technique", ATTACKS)
def test_an_attack_earns_nothing(desk: Desk, technique: str) -> None:
    cell = ATTACKS[technique]
    cells = {
        "double": cell,
        **{name: code for name, code in WRONG.items() if f"def {name}" not in cell},
    }
    if "total = root = double" in cell:  # in the last cell, or a later one would undo it
        cells = {"double": cell, "total": "total = double", "root": "root = double"}
    elif "def total" in cell:
        cells = {"double": cell, "total": "", "root": "" if "def root" in cell else WRONG["root"]}
    report = desk.grade(**cells)
    assert report.score == 0, technique
    assert Verdict.PASSED not in verdicts(report).values()
    assert Verdict.INTERNAL_ERROR not in verdicts(report).values()
    report.model_dump_json()


def test_the_next_submission_is_graded_as_if_nothing_had_happened(desk: Desk) -> None:
    assert desk.grade().score == 10
