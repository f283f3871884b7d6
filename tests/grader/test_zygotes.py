"""Zygotes: what they import, when they begin afresh, who may fork from them."""

import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import WallError
from grader.protocol import Limits
from grader.sandbox import zygote as zygotes
from grader.sandbox.kinds import KINDS, gpu_devices, python_of
from grader.sandbox.local import LocalSandbox
from grader.sandbox.zygote import Zygote, start_process

NUMPY = KINDS["numpy"]


def begun(zygote: Zygote) -> bytes:
    """Changes when the process is exec'd: the kernel draws these bytes for each exec."""
    words = Path(f"/proc/{zygote.pid}/auxv").read_bytes()
    address = next(
        int.from_bytes(words[at + 8 : at + 16], "little")
        for at in range(0, len(words), 16)
        if int.from_bytes(words[at : at + 8], "little") == 25  # AT_RANDOM
    )
    with open(f"/proc/{zygote.pid}/mem", "rb") as memory:
        memory.seek(address)
        return memory.read(16)


@pytest.fixture
def short_lived() -> Iterator[Zygote]:
    """A zygote that begins afresh after three forks."""
    kind = replace(NUMPY, modules=("@forks=3", *NUMPY.modules))
    zygote = start_process(kind, python_of("numpy"))
    yield zygote
    zygote.close()


def told(zygote: Zygote, code: str) -> str:
    """What a notebook of one cell prints in a jail of this zygote."""
    jail = zygote.fork(Limits())
    try:
        exchange = jail.start_notebook()
        exchange.say({"cells": [["a", code]], "answer_here": False})
        while "cells" not in exchange.hear():
            pass
        exchange.drain()
        return exchange.output.text()
    finally:
        jail.close()


def test_a_zygote_begins_afresh_after_many_forks(short_lived: Zygote) -> None:
    first, pid = begun(short_lived), short_lived.pid
    for _ in range(2):
        assert told(short_lived, "print(1 + 1)") == "2\n"
    assert begun(short_lived) == first
    for _ in range(5):
        assert told(short_lived, "print(1 + 1)") == "2\n"
    assert begun(short_lived) != first
    assert short_lived.pid == pid
    assert short_lived.alive


def test_a_jail_lives_on_while_its_zygote_begins_afresh(short_lived: Zygote) -> None:
    jail = short_lived.fork(Limits())
    first = begun(short_lived)
    for _ in range(5):
        short_lived.fork(Limits()).close()
    assert begun(short_lived) != first
    exchange = jail.start_notebook()
    exchange.say({"cells": [["a", "print('alive')"]], "answer_here": False})
    while "cells" not in exchange.hear():
        pass
    exchange.drain()
    assert exchange.output.text() == "alive\n"
    exchange.close()
    jail.close()


def test_a_fresh_zygote_has_the_same_constant_environment(short_lived: Zygote) -> None:
    environ = Path(f"/proc/{short_lived.pid}/environ")
    before = environ.read_bytes()
    assert dict(entry.split("=", 1) for entry in before.decode().split("\0") if entry) == dict(
        NUMPY.environment
    )
    for _ in range(5):
        short_lived.fork(Limits()).close()
    assert environ.read_bytes() == before


@pytest.fixture
def labkit(tmp_path: Path) -> Path:
    """A labkit that may be edited."""
    folder = shutil.copytree(zygotes.LABKIT, tmp_path / "labkit")
    for place in (tmp_path, *tmp_path.parents):
        if place.is_relative_to("/tmp") and place != Path("/tmp"):
            place.chmod(place.stat().st_mode | 0o755)
    return folder


def test_a_zygote_that_has_grown_begins_afresh(labkit: Path) -> None:
    with (labkit / "__init__.py").open("a") as file:  # as a leak would, at every fork
        file.write("\nimport os\nleak, pipe = [], os.pipe\n")
        file.write("os.pipe = lambda: leak.append(bytearray(b'x' * 10**6)) or pipe()\n")
    zygote = start_process(NUMPY, python_of("numpy"), labkit=labkit)
    try:
        first = begun(zygote)
        for _ in range(40):
            zygote.fork(Limits()).close()
        assert begun(zygote) == first
        for _ in range(15):
            zygote.fork(Limits()).close()
        assert begun(zygote) != first
    finally:
        zygote.close()


def test_a_zygote_begins_afresh_when_labkit_was_edited(labkit: Path) -> None:
    zygote = start_process(NUMPY, python_of("numpy"), labkit=labkit)
    try:
        assert told(zygote, "import labkit; print(hasattr(labkit, 'new_word'))") == "False\n"
        with (labkit / "__init__.py").open("a") as file:
            file.write("\nnew_word = 1\n")
        assert told(zygote, "import labkit; print(hasattr(labkit, 'new_word'))") == "True\n"
    finally:
        zygote.close()


def test_processes_forked_from_its_owner_share_a_zygote() -> None:
    sandbox = LocalSandbox(("numpy",))
    zygote = sandbox._zygotes["numpy"]
    read, write = os.pipe()
    children = []
    for number in range(3):
        pid = os.fork()
        if pid == 0:
            try:
                for turn in range(5):
                    text = told(zygote, f"print({number}, {turn})")
                    os.write(write, text.encode())
                sandbox.close()
            finally:
                os._exit(0)
        children.append(pid)
    os.close(write)
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0
    with os.fdopen(read) as file:
        lines = sorted(file.read().splitlines())
    assert lines == [f"{number} {turn}" for number in range(3) for turn in range(5)]
    try:
        assert zygote.alive, "a process that shared it has closed it, and its owner has not"
        assert told(zygote, "print('owner')") == "owner\n"
    finally:
        sandbox.close()
    assert not zygote.alive


def test_a_dead_zygote_is_replaced() -> None:
    sandbox = LocalSandbox(("numpy",))
    try:
        old = sandbox._zygotes["numpy"].pid
        os.kill(old, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while sandbox._zygotes["numpy"].alive and time.monotonic() < deadline:
            time.sleep(0.01)
        sandbox.open_jail("numpy", Limits()).close()
        assert sandbox._zygotes["numpy"].pid != old
    finally:
        sandbox.close()


def test_a_zygote_has_one_thread(sandbox: LocalSandbox) -> None:
    """Locks of another one would stay locked in every fork."""
    pid = sandbox._zygotes["numpy"].pid
    assert len(os.listdir(f"/proc/{pid}/task")) == 1


def test_an_environment_that_is_missing_is_named_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRADUS_ZYGOTE_NUMPY_PYTHON", "/nowhere/python")
    with pytest.raises(WallError, match=r"GRADUS_ZYGOTE_NUMPY_PYTHON names /nowhere/python"):
        LocalSandbox(("numpy",))


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(WallError, match="numpy, torch, torch-gpu"):
        LocalSandbox(("jax",))


@pytest.mark.skipif(bool(gpu_devices()), reason="this host has a GPU")
def test_without_a_gpu_its_zygote_is_refused_with_a_remedy() -> None:
    with pytest.raises(WallError, match=r"no /dev/nvidia0.*GRADUS_WORKER_CAPABILITIES"):
        LocalSandbox(("torch-gpu",))


@pytest.mark.gpu
@pytest.mark.skipif(not gpu_devices(), reason="needs a CUDA device: there is no /dev/nvidia0")
def test_a_gpus_zygote_leaves_cuda_alone_and_its_jails_can_use_it() -> None:
    sandbox = LocalSandbox(("torch-gpu",))
    try:
        zygote = sandbox._zygotes["torch-gpu"]
        opened = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{zygote.pid}/fd")]
        assert not [path for path in opened if path.startswith("/dev/nvidia")]
        use = (
            "import torch; a = torch.ones(64, 64, device='cuda'); print(int((a @ a).sum().item()))"
        )
        for _ in range(2):
            assert told(zygote, use) == f"{64**3}\n"
    finally:
        sandbox.close()


@pytest.fixture(scope="module")
def torch_zygote() -> Iterator[Zygote]:
    pytest.importorskip("torch", reason="torch is not installed")
    zygote = start_process(KINDS["torch"], python_of("torch"))
    yield zygote
    zygote.close()


def test_torch_is_imported_before_the_fork_and_cuda_is_not_touched(torch_zygote: Zygote) -> None:
    code = "import sys; print('torch' in sys.modules); import torch; print(torch.cuda.is_initialized())"
    assert told(torch_zygote, code) == "True\nFalse\n"
    assert len(os.listdir(f"/proc/{torch_zygote.pid}/task")) == 1


def test_a_triton_kernel_runs_without_a_gpu(torch_zygote: Zygote) -> None:
    pytest.importorskip("triton", reason="triton is not installed")
    kernel = """
import sys
print("triton" in sys.modules)
import torch, triton, triton.language as tl
@triton.jit
def add(x, y, out, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + at, tl.load(x + at, mask=at < n) + tl.load(y + at, mask=at < n), mask=at < n)
x, y, out = torch.arange(100.0), torch.ones(100), torch.zeros(100)
add[(4,)](x, y, out, 100, BLOCK=32)
print(torch.equal(out, x + y))
"""
    assert told(torch_zygote, kernel) == "True\nTrue\n"


def test_a_jail_without_a_gpu_sees_none_of_its_devices(torch_zygote: Zygote) -> None:
    listed = told(torch_zygote, "import os; print(*sorted(os.listdir('/dev')))").split()
    assert listed == ["fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom", "zero"]  # fmt: skip


def test_a_word_of_the_command_line_is_no_secret(torch_zygote: Zygote) -> None:
    """A jail may read how its zygote was started: nothing there tells about a lab or a student."""
    command = Path(f"/proc/{torch_zygote.pid}/cmdline").read_bytes().decode().split("\0")
    assert re.fullmatch(r"-s -P -B \S+/zygote.py \d+ \S+/labkit .*", " ".join(command[1:]).strip())
