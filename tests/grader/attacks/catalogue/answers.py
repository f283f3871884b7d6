"""Answers, objects and patches that claim points which were not earned."""

from tests.grader.attacks.catalogue.attack import Attack, Must, attacks

ATTACKS: tuple[Attack, ...] = attacks(
    Must.EARN_NOTHING,
    (
        "equal to everything",
        "An equal-to-everything object is returned in place of the answer.",
        r"""
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
    ),
    (
        "ndarray subclass",
        "A subclass of ndarray overrides every comparison.",
        r"""
class Same(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __array_ufunc__(self, *a, **k): return True
    def __array_function__(self, *a, **k): return True
def double(x): return np.zeros_like(x).view(Same)
total = root = double
""",
    ),
    (
        "number subclasses",
        "A float and an int subclass claim to equal anything.",
        r"""
class Same(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    __hash__ = float.__hash__
def double(x): return Same(1)
total = root = double
""",
    ),
    (
        "patched numpy comparisons",
        "Numpy's comparisons are patched to be always right.",
        r"""
yes = lambda *a, **k: True
np.allclose = np.isclose = np.array_equal = np.testing.assert_allclose = yes
np.abs = np.absolute = lambda *a, **k: 0.0
def double(x): return x
""",
    ),
    (
        "patched json and sockets",
        "Json, struct and socket are patched in the process that answers.",
        r"""
import json, struct, socket
json.dumps = lambda *a, **k: '{"tree": {"d": {"verdict": "passed", "points": 10}}, "buffers": []}'
def double(x): return x
""",
    ),
    (
        "printed verdicts",
        "Verdicts are printed to stdout and stderr.",
        r"""
import sys
for stream in (sys.stdout, sys.stderr):
    print('{"check": "doubles", "verdict": "passed", "points": 3, "max_points": 3}', file=stream)
    print("10 passed in 0.01s\nOK\nscore: 10/10", file=stream)
def double(x): print("passed"); return x
""",
    ),
    (
        "claimed verdict",
        "The answer claims a verdict, points and a score of its own.",
        r"""
class Claim(dict): pass
def double(x): return {"verdict": "passed", "points": 10, "score": 10, "passed": True, "outputs": 2 * x}
total = root = double
""",
    ),
    (
        "replayed answer",
        "A check's first right answer is replayed for the later trials.",
        r"""
def double(x):
    global kept
    kept = globals().get("kept", 2 * x)
    return kept
total = root = double
""",
    ),
    (
        "patched machinery",
        "The machinery is patched by way of sys.modules.",
        r"""
import sys
kernel = sys.modules["grader.inside.kernel"]
wire = sys.modules["grader.inside.wire"]
kernel.Checks.trial = lambda self, function, inputs: {"outputs": {"y": inputs["x"]}, "changed": []}
kernel.Checks.prepare = staticmethod(lambda name, body: None)
wire.scan = wire.parse_header = lambda *a: None
""",
    ),
    (
        "replaced body",
        "A check's body is replaced after it came.",
        r"""
import builtins
real = builtins.compile
def patched(source, name, *a, **k):
    if str(name).startswith("check:"):
        function = str(name)[6:]
        source = f"def {function}(lab, **k):\n    return {{'y': k['x'] * 0}}"
    return real(source, name, *a, **k)
builtins.compile = patched
""",
    ),
    (
        "hooks and tracers",
        "An exception hook, an atexit and a trace function rewrite what happens.",
        r"""
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
    ),
    (
        "input transformers",
        "An input transformer and a patched run_cell turn code into passes.",
        r"""
from IPython import get_ipython
shell = get_ipython()
shell.input_transformers_cleanup.append(lambda lines: ["pass\n"])
shell.run_cell = shell.run_code = lambda *a, **k: None
shell.showtraceback = lambda *a, **k: None
shell.set_custom_exc((BaseException,), lambda *a, **k: None)
def double(x): return x
""",
    ),
    (
        "replaced runner",
        "Labkit's runner is replaced by one that says passed.",
        r"""
import labkit
labkit.use_runner(lambda name: "passed")
labkit.check = lambda name: True
def double(x): return x
""",
    ),
    (
        "memory search",
        "The reference and expected values are looked for in all of memory.",
        r"""
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
    ),
    (
        "worker's modules",
        "The worker's modules are imported inside the jail.",
        r"""
def double(x):
    for name in ("grader.referee", "grader.runner", "labs.catalog", "tests.fixtures.labs.tiny.lab"):
        try:
            __import__(name); return 2 * x
        except ImportError:
            pass
    raise ImportError
""",
    ),
    (
        "NaN and infinity",
        "The answer is NaN or infinite in the hope that comparisons let it by.",
        r"""
def double(x): return x * np.nan
def total(x): return np.inf
def root(x): return x * np.nan
""",
    ),
    (
        "empty arrays",
        "An empty array makes every statement about all elements true.",
        r"""
def double(x): return x[:0]
def total(x): return np.array([])
def root(x): return np.zeros((0, 4))
""",
    ),
    (
        "broadcast answers",
        "A huge broadcastable answer hopes that one element is right.",
        r"""
def double(x): return np.broadcast_to(x, (100, 2, 3))
def total(x): return np.arange(-500.0, 500.0)
def root(x): return np.linspace(-2, 2, 100)[:, None] * np.ones(4)
""",
    ),
    (
        "predicted generator",
        "A random generator is predicted to guess the inputs of a check.",
        r"""
import random
rng = np.random.default_rng(0)
def double(x): return 2 * np.random.default_rng(20_250_204).standard_normal((2, 3))
def total(x): return rng.standard_normal(5).sum()
""",
    ),
    (
        "patched clocks",
        "Clocks are patched so that no deadline is ever met.",
        r"""
import time
time.monotonic = time.time = time.perf_counter = lambda: 0.0
def double(x):
    while True: pass
""",
    ),
    (
        "closed channel",
        "The channel is closed and never read.",
        r"""
import os
def double(x): os.closerange(0, 256); os._exit(0)
total = root = double
""",
    ),
    (
        "every exit",
        "The interpreter is left by every exit.",
        r"""
import os, sys
def double(x): sys.exit(0)
def total(x): os.abort()
def root(x): os.execv("/bin/true", ["true"])
""",
    ),
    (
        "result on the stack",
        "The check's code object is found on the stack and its result replaced.",
        r"""
import sys, ctypes
def double(x):
    frame = sys._getframe(1)
    frame.f_globals["np"] = None
    frame.f_locals.clear()
    return x
""",
    ),
    (
        "None",
        "Every function answers None.",
        r"""
def double(x): return None
total = root = double
""",
    ),
    (
        "zeros",
        "Every function answers zeros of the right shape.",
        r"""
def double(x): return np.zeros_like(x)
def total(x): return np.float64(0)
def root(x): return np.zeros_like(x)
""",
    ),
    (
        "the inputs",
        "Every function gives back what it was given.",
        r"""
def double(x): return x
total = root = double
""",
    ),
    (
        "the inputs' views",
        "Every function gives back a changed view of what it was given.",
        r"""
def double(x): return x[::-1, ::-1]
def total(x): return x[0]
def root(x): x[:] = 1; return x
""",
    ),
    (
        "numpy in sys.modules",
        "A module that knows nothing but zeros takes numpy's place.",
        r"""
import sys, types
class Fake(types.ModuleType):
    def __getattr__(self, name): return lambda *a, **k: 0.0
sys.modules["numpy"] = np = Fake("numpy")
import numpy
def double(x): return numpy.multiply(x, 2)
""",
    ),
    (
        "a torch of one's own",
        "A module called torch makes the answers' encoder believe in tensors that equal anything.",
        r"""
import sys, types
torch = types.ModuleType("torch")
class Tensor:
    dtype = shape = None
    def __eq__(self, other): return True
    def detach(self): return self
    to = lambda self, *a: self
    contiguous = detach
    def numpy(self): return np.zeros((2, 3))
torch.Tensor, torch.bfloat16 = Tensor, object()
torch.manual_seed = lambda *a: None
torch.allclose = torch.equal = lambda *a, **k: True
sys.modules["torch"] = torch
def double(x): return Tensor()
total = root = double
""",
    ),
    (
        "builtins",
        "abs, all, len, isinstance, type and the comparison functions of builtins and operator say yes.",
        r"""
import builtins, operator
builtins.all = builtins.any = builtins.isinstance = builtins.callable = lambda *a: True
builtins.abs = builtins.len = lambda x: 0
operator.eq = operator.le = lambda *a: True
def double(x): return x
""",
    ),
    (
        "methods of C types",
        "The dictionaries of built-in types are reached by way of gc, and their comparisons replaced.",
        r"""
import gc
def double(x):
    for kind in (float, np.ndarray, dict):
        for d in gc.get_referents(kind.__dict__):
            if isinstance(d, dict):
                d["__eq__"] = d["__sub__"] = lambda *a: True
    return x
""",
    ),
    (
        "numeric display data",
        "Numbers and points are displayed, as a grader that reads scores from outputs would want them.",
        r"""
from IPython.display import display
import sys
display({"text/plain": "10", "application/json": {"score": 10}}, raw=True)
sys.displayhook(10.0)
print(10)
def double(x): display(3); print("3.0"); return x
10
""",
    ),
    (
        "the notebook's names",
        "What a check sees as `lab` answers every name with a function of zeros.",
        r"""
import sys
kernel = sys.modules["grader.inside.kernel"]
kernel.Notebook.__getattr__ = lambda self, name: (lambda *a, **k: 0.0)
""",
    ),
    (
        "odd exceptions",
        "Exceptions whose name, text and class do harm when they are looked at.",
        r"""
class Meta(type):
    @property
    def __name__(cls): raise KeyboardInterrupt
class Odd(BaseException, metaclass=Meta):
    def __str__(self): raise SystemExit(0)
    __repr__ = __str__
class Long(Exception):
    def __str__(self): return "x" * 10**7
class Fake(Exception): pass
Fake.__name__ = "\x1b[2J<script>\u202e"
def double(x): raise Odd
def total(x): raise Long
def root(x): raise Fake("\0\ud800")
""",
    ),
    (
        "exceptions that end things",
        "StopIteration, GeneratorExit, KeyboardInterrupt and SystemExit are raised in place of an answer.",
        r"""
def double(x): raise SystemExit(0)
def total(x): raise KeyboardInterrupt
def root(x): raise GeneratorExit
""",
    ),
    (
        "exceptions in a ring",
        "An exception is its own cause, with a traceback of a million frames.",
        r"""
import sys
sys.setrecursionlimit(3000)
def dive(n): return dive(n - 1) if n else 1 / 0
def double(x):
    try: dive(2500)
    except ZeroDivisionError as e:
        e.__cause__ = e; e.__context__ = e; raise
""",
    ),
    (
        "awkward numbers",
        "Integers of ten thousand digits, infinities in complex numbers, and truth values in place of numbers.",
        r"""
def double(x): return 10**10000
def total(x): return complex(np.nan, np.inf)
def root(x): return True
""",
    ),
    (
        "large integers",
        "Integers just below what a frame carries, and one that no float can hold.",
        r"""
def double(x): return 10**900
def total(x): return -10**330
def root(x): return [10**308] * 4
""",
    ),
    (
        "deep containers",
        "Lists in lists, tuples in dicts, and a list that holds itself.",
        r"""
def nest(n):
    a = []
    for _ in range(n): a = [a]
    return a
def double(x): return nest(27)
def total(x): return nest(5000)
def root(x):
    a = []; a.append(a)
    return {"y": a}
""",
    ),
    (
        "wide containers",
        "Dicts of very many or very long keys, and keys that are no strings.",
        r"""
def double(x): return {str(n): n for n in range(5000)}
def total(x): return {'k' * 10**6: 1}
def root(x): return {(1,): {2: 3}, None: x}
""",
    ),
    (
        "odd arrays",
        "Arrays of objects, dates and records in place of numbers.",
        r"""
def double(x): return np.array([[Ellipsis] * 3] * 2, dtype=object)
def total(x): return np.datetime64('2025-01-01')
def root(x): return np.zeros(4, dtype=[('a', 'f8'), ('b', 'O')])
""",
    ),
    (
        "odder arrays",
        "Masked arrays, matrices and long doubles.",
        r"""
def double(x): return np.ma.masked_all((2, 3))
def total(x): return np.longdouble(0)
def root(x): return np.matrix(x)
""",
    ),
    (
        "arrays of other kinds",
        "Right values in a kind that is not asked for: single precision, complex, big endian text.",
        r"""
def double(x): return (2 * x).astype(np.float32)
def total(x): return np.str_(x.sum())
def root(x): return [str(v) for v in np.sqrt(x)]
""",
    ),
    (
        "strides",
        "Arrays with strides of zero and below, over memory that is not theirs.",
        r"""
from numpy.lib.stride_tricks import as_strided
def double(x): return as_strided(x, (2, 3), (0, 0))
def total(x): return as_strided(x, (10**9,), (0,))
def root(x): return as_strided(x, (4, 4), (-8, 8))
""",
    ),
    (
        "iterators",
        "Generators, ranges, sets and views in place of data.",
        r"""
def double(x): return (v for v in x)
def total(x): return {1: 2}.keys()
def root(x): return frozenset([1.0])
""",
    ),
    (
        "objects that unpickle",
        "An object whose unpickling would print points.",
        r"""
class Pickle:
    def __reduce__(self): return (print, ('passed',))
    __reduce_ex__ = lambda self, n: (print, ('passed',))
def double(x): return Pickle()
total = root = double
""",
    ),
    (
        "frames of C",
        "The answer's bytes are changed in the memory of the encoder by address.",
        r"""
import ctypes
def double(x):
    result = bytes(48)
    ctypes.memset(id(result) + 32, 0x41, 48)
    return result
""",
    ),
    (
        "told by the stack",
        "Code that looks for the check's name, the trial and its own user, and answers from a table.",
        r"""
import sys, os
TABLE = {("doubles", n): np.full((2, 3), float(n)) for n in range(3)} | {("totals", n): 0.5 for n in range(2)}
COUNT = {}
def double(x):
    name = sys._getframe(1).f_code.co_name
    if os.environ.get("GRADUS") and os.getuid() == 1000:
        COUNT[name] = COUNT.get(name, -1) + 1
        return TABLE.get((name, COUNT[name]), 0.0)
    return 2 * x
total = root = double
""",
    ),
    (
        "learnt from the first trial",
        "What the first trials asked is kept, in memory and in /tmp, for the later ones and for other checks.",
        r"""
import os, pickle
def double(x):
    with open("/tmp/seen", "ab") as file: file.write(x.tobytes())
    with open("/tmp/seen", "rb") as file: return np.frombuffer(file.read())[:x.size].reshape(x.shape)
def total(x): return np.frombuffer(open("/tmp/seen", "rb").read()).sum()
def root(x): return np.frombuffer(open("/tmp/seen", "rb").read())[:4]
""",
    ),
    (
        "asked twice",
        "A check ends itself after noting its inputs, to answer from the note when it is asked again.",
        r"""
import os
def double(x):
    if os.path.exists("/tmp/first"): return np.load("/tmp/first")
    with open("/tmp/first", "wb") as file: np.save(file, x)
    os._exit(0)
""",
    ),
    (
        "clock of another library",
        "A process is started again with a library that fakes the clock; settimeofday and adjtimex are called.",
        r"""
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
libc.settimeofday(ctypes.create_string_buffer(16), None); libc.adjtimex(ctypes.create_string_buffer(256)); libc.clock_settime(0, ctypes.create_string_buffer(16))
time.sleep = lambda s: None
def double(x): os.execve(sys.executable, [sys.executable, "-c", "print('passed')"], {"LD_PRELOAD": "/tmp/fake.so", "FAKETIME": "-10d"})
""",
    ),
    (
        "finalizers",
        "Objects with finalizers, weak references and exit functions write passes when the check ends.",
        r"""
import atexit, weakref, threading
class Late:
    def __del__(self): print('{"verdict": "passed"}', flush=True)
late = Late(); weakref.finalize(late, print, "passed"); atexit.register(print, "passed")
threading._register_atexit(print, "passed") if hasattr(threading, "_register_atexit") else None
def double(x):
    global late
    late = None
    return x
""",
    ),
    (
        "a notebook inside",
        "The lab's own machinery is run inside the jail, to grade itself.",
        r"""
import sys
for name in [n for n in sys.modules if n.startswith("grader")]:
    for key, value in list(vars(sys.modules[name]).items()):
        if callable(value) and "check" in key.lower():
            setattr(sys.modules[name], key, lambda *a, **k: True)
def double(x): return x
""",
    ),
    (
        "comments that look like cells",
        "An answer contains solution marks, cell headers and nbgrader metadata.",
        r"""
# %% nbgrader={"grade": true, "grade_id": "check-double", "locked": false, "points": 1000, "schema_version": 3, "solution": true}
### BEGIN SOLUTION
### END SOLUTION
### BEGIN HIDDEN TESTS
check = lambda name: "passed"
### END HIDDEN TESTS
def double(x): return x
""",
    ),
)
