"""Our side of the comparison: gradings with full isolation, one at a time or in several processes."""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from grader.notebook import reference_answers
from grader.protocol import GradingReport, GradingRequest
from grader.runner import grade
from grader.sandbox import Sandbox, open_sandbox
from labs.catalog import Lab, get_lab, student_notebook

ROOT = Path(__file__).resolve().parents[2]
LABS = ROOT / "tests" / "bench" / "labs"


def the_lab(slug: str) -> Lab:
    """A lab of the benchmarks or of the project."""
    os.environ["GRADUS_LABS_PATH"] = str(LABS)
    return get_lab(slug)


def request_for(lab: Lab) -> GradingRequest:
    """The reference's own answers, handed in."""
    notebook = student_notebook(lab, reference_answers(lab)).decode()
    return GradingRequest(
        attempt="bench",
        lab=lab.slug,
        lab_hash=lab.content_hash,
        submission_sha256=hashlib.sha256(notebook.encode()).hexdigest(),
        seed="1" * 64,
        notebook=notebook,
    )


def essence(report: GradingReport) -> bytes:
    """All of a report that must be the same for the same submission: everything but times."""
    kept = report.model_dump(mode="json", exclude={"seconds", "stages", "attempt"})
    for result in (*kept["results"], *kept["cells"]):
        result.pop("seconds", None)
    return json.dumps(kept, sort_keys=True).encode()


@dataclass(slots=True)
class Gradings:
    """What a number of gradings in a row took, in seconds."""

    whole: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)
    checks: list[float] = field(default_factory=list)


class Accounts:
    """Processor time of a set of processes with all that they ever start, dead or alive.

    A jail's processes die with their namespace, unreaped, so only a control group knows what they used.
    With version 2 of those a jail has moved to one of its own, so there, and where none can be made, this
    falls back to what the whole machine was busy, which others' work would distort.
    """

    def __init__(self, name: str) -> None:
        group = Path("/sys/fs/cgroup/cpuacct") / f"gradus-bench-{os.getpid()}-{name}"
        self._group: Path | None = None
        with contextlib.suppress(OSError):
            group.mkdir()
            self._group = group
        self.exact = self._group is not None

    @classmethod
    def of_the_host(cls) -> "Accounts":
        """What everybody on this machine uses."""
        accounts = cls.__new__(cls)
        accounts._group, accounts.exact = None, False
        return accounts

    def add(self, pid: int) -> None:
        if self._group is not None:
            try:
                (self._group / "cgroup.procs").write_text(str(pid))
            except OSError:
                self._group, self.exact = None, False

    def seconds(self) -> float:
        if self._group is None:
            fields = [int(f) for f in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
            return (sum(fields[:3]) + sum(fields[5:7])) / os.sysconf("SC_CLK_TCK")
        return int((self._group / "cpuacct.usage").read_text()) / 1e9

    def close(self) -> None:
        if self._group is None:
            return
        for pid in (self._group / "cgroup.procs").read_text().split():
            try:
                (self._group.parent / "cgroup.procs").write_text(pid)
            except OSError:
                continue
        for _ in range(100):
            try:
                return self._group.rmdir()
            except OSError:
                time.sleep(0.02)


def zygotes_of(worker: int) -> list[int]:
    """The zygotes that a process has started."""
    children = [
        pid for name in os.listdir(f"/proc/{worker}/task") for pid in _children(worker, name)
    ]
    return [pid for pid in children if b"zygote.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _children(pid: int, thread: str) -> list[int]:
    with contextlib.suppress(OSError):  # the thread has ended
        return [int(p) for p in Path(f"/proc/{pid}/task/{thread}/children").read_text().split()]
    return []


class Worker:
    """A process of its own that grades when asked, as a slot of a worker does."""

    def __init__(self, slug: str, wall: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.ours", slug, wall],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._hear()

    def _hear(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("a grading process ended; its message is above")
        return line

    def begin(self, gradings: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{gradings}\n")
        self.process.stdin.flush()

    def end(self) -> Gradings:
        return Gradings(**json.loads(self._hear()))

    def grade(self, gradings: int) -> Gradings:
        self.begin(gradings)
        return self.end()

    @property
    def zygotes(self) -> list[int]:
        return zygotes_of(self.process.pid)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@contextmanager
def workers(slug: str, wall: str, processes: int) -> Iterator[list[Worker]]:
    """Warm workers, each with a zygote of its own."""
    running: list[Worker] = []
    try:
        for _ in range(processes):
            running.append(Worker(slug, wall))
        yield running
    finally:
        for worker in running:
            worker.close()


def together(running: list[Worker], each: int) -> float:
    """Let all grade at once; the seconds until the last one has."""
    began = time.perf_counter()
    for worker in running:
        worker.begin(each)
    for worker in running:
        worker.end()
    return time.perf_counter() - began


def several(lab: Lab, request: GradingRequest, sandbox: Sandbox, count: int) -> Gradings:
    """Grade in a row.

    Raises:
        RuntimeError: the reference did not earn everything, so that its times would mean nothing.
    """
    done = Gradings()
    for _ in range(count):
        began = time.perf_counter()
        report = grade(request, sandbox=sandbox, lab=lab)
        done.whole.append(time.perf_counter() - began)
        if report.score != report.max_score:
            raise RuntimeError(f"the reference earned {report.score} of {report.max_score}")
        for stage, seconds in report.stages.items():
            done.stages.setdefault(stage, []).append(seconds)
        done.checks.append(median(result.seconds for result in report.results))
    return done


def main(slug: str, wall: str) -> None:
    lab = the_lab(slug)
    request = request_for(lab)
    sandbox = open_sandbox((lab.zygote,), wall)
    try:
        several(lab, request, sandbox, 3)
        print("ready", flush=True)
        for line in sys.stdin:
            print(json.dumps(asdict(several(lab, request, sandbox, int(line)))), flush=True)
    finally:
        sandbox.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
