"""How long one submission takes, where the time goes, and how far that is from the floor.

    python -m tests.bench.bench_grading [--lab autodiff] [--gradings 60]

The floor is the student's cells alone in a plain fork of the same warm Python: no walls, no checks, no
referee. Measured in turn with the gradings, so that both meet the same machine. Processor time is told as
well, which a busy machine distorts less than the clock.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from grader.notebook import read_answers, reference_answers, restore
from grader.protocol import GradingRequest
from grader.runner import grade
from grader.sandbox.local import MODULES, ROOT, LocalSandbox, python_of
from labs.catalog import get_lab, student_notebook

FLOOR = """
import importlib, json, os, sys, time
root, labkit, modules, cells = sys.argv[1], sys.argv[2], sys.argv[3].split(), json.load(sys.stdin)
sys.path.insert(0, root)
from grader.inside import kernel, zygote
for module in modules:
    importlib.import_module(module)
zygote.import_labkit(labkit)
sys.modules["labkit"].__path__ = [labkit]
shell = kernel.make_shell()
while os.read(int(sys.argv[4]), 1):
    began = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        kernel.seed_everything()
        for cell_id, source in cells:
            kernel.run_cell(shell, cell_id, source)
        os._exit(0)
    os.waitpid(pid, 0)
    print(time.perf_counter() - began, flush=True)
"""


class Floor:
    """A warm Python that runs the cells in a plain fork whenever asked."""

    def __init__(self, zygote: str, cells: list[list[str]]) -> None:
        read, self._write = os.pipe()
        self.process = subprocess.Popen(
            [
                *(python_of(zygote), "-s", "-P", "-B", "-c", FLOOR),
                *(str(ROOT), str(ROOT / "labs" / "labkit"), " ".join(MODULES[zygote]), str(read)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            pass_fds=[read],
            env={"OMP_THREAD_LIMIT": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"},
        )
        os.close(read)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(cells))
        self.process.stdin.close()

    def seconds(self) -> float:
        assert self.process.stdout is not None
        os.write(self._write, b"x")
        return float(self.process.stdout.readline())

    def close(self) -> None:
        os.close(self._write)
        self.process.wait()


def processor_seconds(pid: int) -> float:
    """A process with all that it has reaped."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lab", default="autodiff")
    parser.add_argument("--gradings", type=int, default=60)
    options = parser.parse_args()

    lab = get_lab(options.lab)
    notebook = student_notebook(lab, reference_answers(lab)).decode()
    request = GradingRequest(
        attempt="bench",
        lab=lab.slug,
        lab_hash=lab.content_hash,
        submission_sha256=hashlib.sha256(notebook.encode()).hexdigest(),
        seed="1" * 64,
        notebook=notebook,
    )
    cells = [[cell.id, cell.source] for cell in restore(lab, read_answers(lab, notebook))]
    sandbox = LocalSandbox((lab.zygote,))
    zygote = sandbox._zygotes[lab.zygote].process.pid
    floor = Floor(lab.zygote, cells)
    rows: dict[str, list[float]] = {"whole grading": [], "floor: cells in a plain fork": []}
    try:
        for _ in range(3):
            grade(request, sandbox=sandbox, lab=lab)
            floor.seconds()
        ours, theirs = time.process_time(), processor_seconds(zygote)
        for _ in range(options.gradings):
            began = time.perf_counter()
            report = grade(request, sandbox=sandbox, lab=lab)
            rows["whole grading"].append(time.perf_counter() - began)
            for stage, seconds in report.stages.items():
                rows.setdefault(f"stage: {stage}", []).append(seconds)
            rows.setdefault("one check, asked beside another", []).extend(
                found.seconds for found in report.results
            )
            rows["floor: cells in a plain fork"].append(floor.seconds())
        ours = time.process_time() - ours
        theirs = processor_seconds(zygote) - theirs
    finally:
        floor.close()
        sandbox.close()

    print(f"{lab.slug}: {len(report.results)} checks, score {report.score} of {report.max_score}, "
          f"{options.gradings} gradings, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(f"{'':34} {'p50':>9} {'p95':>9}")
    for name, seconds in rows.items():
        print(
            f"{name:34} {1e3 * median(seconds):6.1f} ms {1e3 * percentile(seconds, 0.95):6.1f} ms"
        )
    ratio = median(rows["whole grading"]) / median(rows["floor: cells in a plain fork"])
    print(f"{'ratio to the floor':34} {ratio:6.1f} x")
    per = 1e3 / options.gradings
    print(f"processor time of one grading: worker {per * ours:.1f} ms, jail {per * theirs:.1f} ms")
    if report.score != report.max_score:
        sys.exit("the reference did not earn everything; these figures mean nothing")


if __name__ == "__main__":
    main()
