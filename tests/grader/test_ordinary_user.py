"""The same wall when an ordinary user starts the worker: one id is mapped, their own.

The tests run as root in many a container; then this one hands the grader to `nobody`, with a Python that
`nobody` can read.
"""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.errors import WallError
from grader.sandbox import open_sandbox

ROOT = Path(__file__).resolve().parents[2]
ZYGOTE = ROOT / ".zygotes" / "numpy"
PYTHON = Path("/usr/bin/python3.11")
WORKERS_PACKAGES = (
    "annotated_types", "pydantic", "pydantic_core", "typing_extensions.py", "typing_inspection",
)  # fmt: skip

GRADE = """
import json, os, re, sys
sys.path.insert(0, "site")
from pathlib import Path
from grader.sandbox import open_sandbox
from grader.sandbox.memory import descendants
from grader.protocol import Limits
from grader.errors import WallError
from tests.grader.grading_desk import Desk, result
try:
    sandbox = open_sandbox()
except WallError as error:
    print(json.dumps({"no wall": str(error)}))
    raise SystemExit
desk = Desk(sandbox)
facts = '''
import os
print(os.getresuid(), os.getgroups())
print(open("/proc/self/status").read())
for number in range(3):
    try:
        open("/proc/1/mem", "rb"); print("opened")
    except OSError:
        print("kept out")
'''
jail = sandbox.open_jail("numpy", Limits())
status = Path(f"/proc/{descendants(jail.builder_pid)[1]}/status").read_text()
jail.close()
fill = "def double(x):\\n    keep = []\\n    while True: keep.append(bytearray(b'x' * 10**6))"
half = "big = np.ones(20 * 2**20)\\ndef double(x):\\n    return 2 * x"
bomb = "import os\\ndef double(x):\\n    while True:\\n        try: os.fork()\\n        except OSError: pass"
print(json.dumps({
    "euid": os.geteuid(),
    "wall": sandbox.wall,
    "score": str(desk.grade().score),
    "host uids": re.search(r"^Uid:\\t(.*)$", status, re.M)[1].split(),
    "seen": desk.seen(facts),
    "filled": result(desk.grade(double=fill), "doubles").verdict.value,
    "half filled, and forked for checks": str(desk.grade(double=half).score),
    "bombed": str(desk.grade(double=bomb).score),
    "again": str(desk.grade().score),
}))
sandbox.close()
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that `nobody` can read: the grader, the tiny lab, and two Pythons with packages."""
    if os.geteuid() != 0:
        pytest.skip("the tests run as an ordinary user already, so every other test shows this")
    if not PYTHON.exists():
        pytest.skip(f"needs {PYTHON}: a Python that another user can read")
    if sys.version_info[:2] != (3, 11):
        pytest.skip("compiled packages of another Python cannot be lent to 3.11")
    # Not in pytest's own folder, which every other run of pytest closes to `nobody` again.
    folder = Path(tempfile.mkdtemp(prefix="gradus-nobody-"))
    folder.chmod(0o755)
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    packages = "lib/python3.11/site-packages"
    for name in ("grader", "labs", "tests/grader", "tests/fixtures"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ZYGOTE / packages, folder / "venv" / packages, dirs_exist_ok=True)
    for name in WORKERS_PACKAGES:
        source = next(Path(path) / name for path in sys.path if (Path(path) / name).exists())
        copy = shutil.copytree if source.is_dir() else shutil.copy
        (folder / "site").mkdir(exist_ok=True)
        copy(source, folder / "site" / name)
    yield folder
    shutil.rmtree(folder)


def told_by_nobody(place: Path, script: str, wall: str = "local", seconds: float = 120) -> Any:
    """What a script prints as JSON that the user `nobody` runs."""
    (place / "grade.py").write_text(script)
    done = subprocess.run(
        [place / "venv/bin/python", "-P", "-B", "grade.py"],
        user=pwd.getpwnam("nobody").pw_uid,
        group=pwd.getpwnam("nobody").pw_gid,
        extra_groups=[],
        cwd=place,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(place),
            "GRADUS_WALL": wall,
            "GRADUS_ZYGOTE_NUMPY_PYTHON": str(place / "venv/bin/python"),
        },
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    if "no wall" in told:
        pytest.skip(f"this host lets no ordinary user build a jail: {told['no wall']}")
    return told


ATTACK = """
import json, sys
sys.path.insert(0, "site")
from grader.sandbox import open_sandbox
from grader.errors import WallError
from tests.grader.attacks.catalogue.trial import CATALOGUE, complaint
from tests.grader.grading_desk import Desk
try:
    sandbox = open_sandbox(wall="local")
except WallError as error:
    print(json.dumps({"no wall": str(error)}))
    raise SystemExit
desk = Desk(sandbox)
held, broken = 0, {}
for attack in CATALOGUE[PART]:
    told = complaint(desk, attack)
    held += not told
    if told:
        broken[attack.name] = told
sandbox.close()
print(json.dumps({"held": held, "broken": broken}))
"""


def test_the_catalogue_of_attacks_fails_at_an_ordinary_users_wall_as_well(place: Path) -> None:
    """Every fourth attack, since each wall is tried with all of them elsewhere."""
    told = told_by_nobody(place, ATTACK.replace("PART", "::4"), seconds=300)
    assert told["broken"] == {}
    assert told["held"] > 25


@pytest.mark.parametrize("wall", ["local", "bubblewrap"])
def test_an_ordinary_user_grades_behind_the_same_wall(place: Path, wall: str) -> None:
    if wall == "bubblewrap" and shutil.which("bwrap") is None:
        pytest.skip("needs the program bwrap")
    told = told_by_nobody(place, GRADE, wall)
    nobody = str(pwd.getpwnam("nobody").pw_uid)
    assert told["euid"] == int(nobody)
    assert told["wall"] == wall
    assert told["score"] == told["again"] == "10"
    assert set(told["host uids"]) == {nobody}
    assert "(1000, 1000, 1000)" in told["seen"]
    assert "CapEff:\t0000000000000000" in told["seen"]
    assert "Seccomp:\t2" in told["seen"]
    assert "opened" not in told["seen"]
    assert told["filled"] == "out_of_memory"
    assert told["half filled, and forked for checks"] == "10", "what forks share counts once"
    assert told["bombed"] == "3"


def test_root_is_told_that_bubblewrap_is_for_ordinary_users() -> None:
    if os.geteuid() != 0:
        pytest.skip("the tests run as an ordinary user")
    with pytest.raises(WallError, match="GRADUS_WALL=local"):
        open_sandbox(wall="bubblewrap")
