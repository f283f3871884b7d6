"""The same lab through nbgrader, otter and our grader with full isolation, on this machine, in turn.

    python -m tests.bench.bench_compare [--quick | --full] [--gradings N] [--publish]

Quick (some minutes) is the default: the lab on arrays through everybody, the one on tensors through ours
alone, 1,000 gradings in a row. Full adds the tensors to the peers, more rounds, and as many processes as
there are cores. Rounds of all systems take turns, so that all meet the same machine; told is the median.
The peers' environments are made under .bench/ the first time; without a network they are left out.
`--publish` writes docs/benchmarks.md and its picture from the last run, without measuring again.
"""

import argparse
import os
import platform
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from grader.errors import GraderError
from grader.notebook import read_answers, restore
from grader.sandbox import open_sandbox
from grader.sandbox.memory import descendants, private_bytes, shared_out_bytes
from grader.session import NotebookSession
from labs.catalog import Lab
from tests.bench import report
from tests.bench.floor import Floor
from tests.bench.leaks import soak, table
from tests.bench.ours import Accounts, Worker, request_for, the_lab, together, workers
from tests.bench.peers import Nbgrader, Otter, Peer, PeerMissing

FOUR = 4
GRADINGS_EACH = 25  # of one process in one round
MIB = 2**20


def say(text: str) -> None:
    print(text, flush=True)


def machine() -> dict[str, Any]:
    """What the figures were taken on, without a name or a path."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": models[0] if models else platform.machine(),
        "memory_gib": round(memory),
        "kernel": ".".join(platform.release().split(".")[:2]),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
        "day": time.strftime("%Y-%m-%d"),
        "began": time.strftime("%Y%m%d-%H%M%S"),
    }


class Ours:
    """Worker processes behind a wall, with the processor time of each part of them."""

    def __init__(self, wall: str, running: list[Worker]) -> None:
        self.name = f"Gradus, {wall} wall"
        self.running = running
        self.graders, self.jails = Accounts(f"{wall}-workers"), Accounts(f"{wall}-jails")
        for worker in running:
            self.graders.add(worker.process.pid)
            for zygote in worker.zygotes:
                self.jails.add(zygote)
        self.exact = self.graders.exact and self.jails.exact and wall != "docker"
        self.host = Accounts.of_the_host()

    def used(self) -> dict[str, float]:
        if self.exact:
            return {"worker": self.graders.seconds(), "jail": self.jails.seconds()}
        return {"whole machine": self.host.seconds()}

    def grade(self, processes: int, each: int) -> dict[str, Any]:
        before = self.used()
        seconds = together(self.running[:processes], each)
        time.sleep(0.3)  # what is left of the jails ends
        count, after = processes * each, self.used()
        parts = {part: (after[part] - before[part]) / count for part in after}
        return {"per_second": count / seconds, "parts": parts, "cpu": sum(parts.values())}

    def close(self) -> None:
        self.graders.close()
        self.jails.close()


def medians(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of every figure of several rounds."""
    first = rounds[0]
    return {
        name: medians([found[name] for found in rounds])
        if isinstance(value, dict)
        else median(found[name] for found in rounds)
        for name, value in first.items()
    }


def peer_round(peer: Peer, processes: int) -> dict[str, Any]:
    done = peer.grade(processes)
    return {
        "per_second": done.gradings / done.seconds,
        "cpu": done.processor_seconds / done.gradings,
        "seconds": done.seconds / done.gradings * processes,
    }


def latency(worker: Worker, floor: Floor, count: int) -> dict[str, Any]:
    """Gradings alone and the floor in turn: seconds of the whole and of its stages."""
    whole: list[float] = []
    bare: list[float] = []
    parts: dict[str, list[float]] = {}
    for _ in range(count):
        done = worker.grade(1)
        whole += done.whole
        bare.append(floor.seconds())
        for name, times in (*done.stages.items(), ("one check, beside another", done.checks)):
            parts.setdefault(name, []).extend(times)
    whole.sort()
    return {
        "p50": median(whole),
        "p95": whole[int(0.95 * (len(whole) - 1))],
        "floor": median(bare),
        "stages": {name: median(times) for name, times in parts.items()},
    }


def memory_of_a_jail(lab: Lab, wall: str) -> dict[str, Any]:
    """What one jail in which the notebook has run takes of the host, in MiB, and its zygote."""
    sandbox = open_sandbox((lab.zygote,), wall)
    cells = restore(lab, read_answers(lab, request_for(lab).notebook))
    session = NotebookSession(sandbox, lab.zygote, lab.limits, cells, lambda: False)
    try:
        session.ensure_notebook()
        assert session._jail is not None
        family = descendants(session._jail.builder_pid)
        zygote = int(Path(f"/proc/{family[0]}/stat").read_text().rpartition(")")[2].split()[1])
        shares = [shared_out_bytes(pid) or 0 for pid in family]
        private = sum(_private(pid) for pid in family)
        return {
            "jail_private": round(private / MIB, 1),
            "jail_pss": round(sum(shares) / MIB, 1),
            "zygote": round(private_bytes(zygote) / MIB, 1),
        }
    finally:
        session.close()
        sandbox.close()


def _private(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def walls(lab: Lab) -> list[str]:
    """The walls that this host can build, of those that people use in earnest."""
    found = []
    for wall in ("local", "docker"):
        try:
            open_sandbox((lab.zygote,), wall).close()
            found.append(wall)
        except GraderError as error:
            say(f"  no {wall} wall here: {error}")
    return found


def prepared(peer: Peer, lab: Lab, processes: int, each: int) -> bool:
    try:
        peer.prepare(lab, processes, each)
    except PeerMissing as error:
        say(f"  {peer.name} is left out: {error}")
        return False
    return True


class Comparison:
    """All systems on one lab, round by round."""

    def __init__(self, slug: str, peers: list[Peer], counts: list[int]) -> None:
        self.lab = the_lab(slug)
        self.counts = counts
        say(f"\n{slug}: {len(self.lab.checks)} checks, {len(self.lab.cells)} cells")
        self.walls = walls(self.lab)
        self.peers = [peer for peer in peers if prepared(peer, self.lab, max(counts), 3)]
        self.found: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self.alone: dict[str, list[dict[str, Any]]] = {}

    def note(self, name: str, count: int, figures: dict[str, Any]) -> None:
        self.found.setdefault(name, {}).setdefault(str(count), []).append(figures)
        say(f"    {name}, {count} at a time: {figures['per_second']:.2f} /s")

    def ask_ours(self, floor: Floor) -> None:
        for wall in self.walls:
            with workers(self.lab.slug, wall, max(self.counts)) as running:
                ours = Ours(wall, running)
                try:
                    told = latency(running[0], floor, GRADINGS_EACH)
                    self.alone.setdefault(wall, []).append(told)
                    for count in self.counts:
                        self.note(ours.name, count, ours.grade(count, GRADINGS_EACH))
                finally:
                    ours.close()

    def ask_peers(self) -> None:
        for peer in list(self.peers):
            try:
                for count in self.counts:
                    self.note(peer.name, count, peer_round(peer, count))
            except PeerMissing as error:
                say(f"  {peer.name} is left out: {error}")
                self.peers.remove(peer)
                self.found.pop(peer.name, None)

    def run(self, rounds: int) -> dict[str, Any]:
        notebook = request_for(self.lab).notebook
        cells = restore(self.lab, read_answers(self.lab, notebook))
        floor = Floor(self.lab.zygote, [[cell.id, cell.source] for cell in cells])
        try:
            for number in range(rounds):
                say(f"  round {number + 1} of {rounds}, load {os.getloadavg()[0]:.1f}")
                self.ask_ours(floor)
                self.ask_peers()
        finally:
            floor.close()
        return {
            "checks": len(self.lab.checks),
            "zygote": self.lab.zygote,
            "systems": {
                name: {count: medians(rows) for count, rows in by_count.items()}
                for name, by_count in self.found.items()
            },
            "alone": {wall: medians(rows) for wall, rows in self.alone.items()},
            "memory": {w: memory_of_a_jail(self.lab, w) for w in self.walls if w == "local"},
        }


def measure(full: bool, rounds: int) -> dict[str, Any]:
    cores = len(os.sched_getaffinity(0))
    counts = sorted({1, FOUR, cores} if full else {1, FOUR})
    peers: list[Peer] = [Nbgrader(), Otter()]
    run: dict[str, Any] = {"machine": machine(), "full": full, "rounds": rounds}
    run["ways"] = {peer.name: peer.way for peer in peers}
    run["labs"] = {
        "arrays": Comparison("arrays", peers, counts).run(rounds),
        "tensors": Comparison("tensors", peers if full else [], counts).run(rounds),
    }
    run["machine"]["load_after"] = round(os.getloadavg()[0], 1)
    return run


def soaked(gradings: int) -> dict[str, Any]:
    say(f"\n{gradings} gradings in a row")
    done = soak(the_lab("arrays"), gradings, "local", lambda number: say(f"  {number}"))
    say("\n".join(table(done)))
    return done.as_json()


def main() -> int:
    parser = argparse.ArgumentParser()
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="some minutes; the default")
    how.add_argument("--full", action="store_true", help="half an hour and more")
    parser.add_argument("--gradings", type=int, help="of the soak: 1000, with --full 10000")
    parser.add_argument("--rounds", type=int, help="3, with --full 5")
    parser.add_argument("--publish", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    if options.publish:
        return report.publish()
    rounds = options.rounds or (5 if options.full else 3)
    run = measure(options.full, rounds)
    report.save(run)
    run["soak"] = soaked(options.gradings or (10_000 if options.full else 1_000))
    print("\n".join(["", *report.lines(run)]))
    print(f"\nwritten to {report.save(run).relative_to(report.ROOT)}; --publish puts it into docs/")
    return 0 if run["soak"]["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
