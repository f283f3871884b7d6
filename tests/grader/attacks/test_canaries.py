"""Secrets of every party are planted, and a jail's whole memory is searched for them.

A submission cannot be told what to look for without holding it, so it searches for the canaries with
every byte raised by one. (Spelled backwards, they would appear forwards wherever its own list is turned around.) It reads its memory by address, for /proc/self/mem is closed to it.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from grader.notebook import source_cells
from grader.sandbox import open_sandbox
from labs.catalog import read_lab
from tests.grader.grading_desk import TINY, Desk, result

ENVIRONMENT = "CANARY-of-the-environment-1f6b2c"
NEIGHBOUR = "CANARY-of-a-neighbour-77a0d1"
SEED = hashlib.sha256(b"the canary of the seed").hexdigest()

RAISED = bytes((b + 1) % 256 for b in range(256))
SCAN = """
def scan():
    import ctypes
    found, read = [], 0
    with open("/proc/self/maps") as file:
        maps = [line.split(None, 5) for line in file]
    # A descriptor that is written from an address that cannot be read gives an error, not a crash.
    import os
    r, w = os.pipe()
    libc = ctypes.CDLL(None)
    libc.write.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)
    for fields in maps:
        low, high = (int(part, 16) for part in fields[0].split("-"))
        if "r" not in fields[1] or fields[-1].strip() in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
            continue
        overlap = b""
        for start in range(low, high, 65536):
            size = min(65536, high - start)
            if libc.write(w, start, size) != size:
                break
            data = overlap + os.read(r, size)
            read += size
            raised = data.translate(RAISED)  # never a canary as it is, not even of its own list
            for name, wanted in CANARIES.items():
                if wanted in raised:
                    found.append(f"{name} at {start:x} in {fields[-1].strip()}")
            overlap = data[-64:]
    print("found:", *found)
    print("read:", read)
"""


@pytest.fixture(scope="module")
def planted(wall: str) -> Iterator[Desk]:
    """A worker with a secret in its environment, whose zygote has just graded a neighbour."""
    os.environ["GRADUS_CANARY"] = ENVIRONMENT
    opened = open_sandbox(wall=wall)
    lab = read_lab(TINY)
    patient = lab.limits.model_copy(
        update={"notebook_wall_seconds": 60.0, "check_wall_seconds": 60.0}
    )
    desk = Desk(opened, replace(lab, limits=patient))
    secret = f"secret = {NEIGHBOUR!r}\ndef double(x):\n    print(secret)\n    return 2 * x"
    assert desk.grade(double=secret, seed=SEED).score == 10
    yield desk
    opened.close()
    del os.environ["GRADUS_CANARY"]


def scanned(desk: Desk, *, canaries: dict[str, bytes], when: str) -> str:
    listed = {name: value.translate(RAISED) for name, value in canaries.items()}
    setup = f"CANARIES = {listed!r}\nRAISED = bytes((b + 1) % 256 for b in range(256))\n{SCAN}"
    if when == "cell":
        source = f"{setup}\nscan()\ndef double(x):\n    return 2 * x"
        return desk.grade(double=source, seed=SEED).notebook_stdout
    source = f"{setup}\ndef double(x):\n    globals().pop('scan', int)()\n    return 2 * x"
    return result(desk.grade(double=source, seed=SEED), "doubles").stdout


@pytest.mark.parametrize("when", ["cell", "check"])
def test_no_secret_is_in_a_jails_memory(planted: Desk, when: str) -> None:
    solution = next(c for c in source_cells(planted.lab) if c.grade_id == "root").reference_source()
    assert "-np.sqrt(x)" in solution
    told = scanned(
        planted,
        canaries={
            "environment": ENVIRONMENT.encode(),
            "neighbour": NEIGHBOUR.encode(),
            "seed": SEED.encode(),
            "seed in bytes": bytes.fromhex(SEED),
            "name of the variable": b"GRADUS_CANARY",
            "condition of a check": b"its square is not x",
            "a later check's body": b"Either square root will do",
            "tolerances": b"class Tolerance",
            "referee": b"The trusted party",
        },
        when=when,
    )
    assert "found: \n" in told or "found:\n" in told, told
    assert int(told.split("read:")[1]) > 10 * 2**20


def test_the_search_finds_what_is_there(planted: Desk) -> None:
    """A search that finds nothing proves nothing unless it can find something."""
    told = scanned(
        planted, canaries={"zygote's environment": b"OPENBLAS_NUM_THREADS=1"}, when="cell"
    )
    assert "zygote's environment at" in told
