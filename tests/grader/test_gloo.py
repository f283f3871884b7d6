"""torch.distributed with gloo between processes of one jail, over the jail's own loopback."""

import time
from pathlib import Path

import pytest

from grader.inside.processor import read_process
from grader.protocol import Verdict
from grader.sandbox.base import Sandbox
from grader.sandbox.local import LocalSandbox
from grader.sandbox.memory import descendants
from tests.grader.grading_desk import Desk, result
from tests.grader.made_lab import SIMPLE, desk, one

pytest.importorskip("torch", reason="torch is not installed")

WORKER = """import datetime
import torch.distributed as dist, torch.multiprocessing as mp
def worker(rank, world, sums, late):
    dist.init_process_group("gloo", init_method="tcp://localhost:29500", rank=rank,
                            world_size=world, timeout=datetime.timedelta(seconds=5))
    value = torch.tensor([rank + 1.0])
    for _ in range(3):
        if rank == late:
            import time; time.sleep(99)
        dist.all_reduce(value)
    sums[rank] = value.item()
    dist.destroy_process_group()
def one(x):
    sums = torch.zeros(4).share_memory_()
    mp.start_processes(worker, args=(4, sums, LATE), nprocs=4, start_method="fork")
    return sums.tolist()
"""
SUMS = "    return [160.0] * 4"  # 1 + 2 + 3 + 4, and twice four times that
GROUP = """import os
import torch.distributed as dist
dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
dist.all_reduce(torch.ones(3))
PID = os.getpid()
"""


def patient(sandbox: Sandbox, place: Path, body: str) -> Desk:
    checks = SIMPLE.format(x="1.0", more=", limits={'check_wall_seconds': 60}")
    return desk(sandbox, place, checks, body, torch=True)


def living(zygote: int) -> list[int]:
    """What came of a zygote and lives; it collects the dead when it forks next."""
    everyone = {pid: read_process(pid) for pid in descendants(zygote)[1:]}
    return [pid for pid, process in everyone.items() if process is not None and process.alive]


def test_four_processes_reduce_among_themselves(sandbox: Sandbox, tmp_path: Path) -> None:
    lab = patient(sandbox, tmp_path, SUMS)
    report = lab.grade(one=WORKER.replace("LATE", "None"))
    assert report.score == 10, report.results


def test_a_rank_that_never_joins_is_a_verdict_in_one_sentence_and_leaves_nothing(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    lab = patient(sandbox, tmp_path, SUMS)
    found = result(lab.grade(one=WORKER.replace("LATE", "1")), "asked")
    assert found.verdict is Verdict.ERROR
    assert "RuntimeError: Timed out waiting 5000ms for" in found.message, found.message
    assert "\n" not in found.message
    assert "Traceback" not in found.message
    if isinstance(sandbox, LocalSandbox):
        zygote = sandbox._zygotes["torch"].pid
        deadline = time.monotonic() + 5
        while (left := living(zygote)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not left
    assert lab.grade(one=WORKER.replace("LATE", "None")).score == 10


def test_a_live_group_has_the_notebook_run_again_and_a_destroyed_one_is_forked(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    lab = patient(sandbox, tmp_path, "    return [True, 3.0]")
    live = GROUP + one(
        "    t = torch.ones(3)\n    dist.all_reduce(t)\n    return [os.getpid() == PID, t.sum().item()]",
        "x",
    )
    report = lab.grade(one=live)
    assert report.score == 10, report.results
    destroyed = GROUP + "dist.destroy_process_group()\n"
    forked = destroyed + one("    return [os.getpid() != PID, 3.0]", "x")
    report = lab.grade(one=forked)
    assert report.score == 10, report.results
