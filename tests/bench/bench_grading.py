"""How long one submission takes, where the time goes, and how far that is from the floor.

    python -m tests.bench.bench_grading [--lab autodiff] [--gradings 60]

The floor is the student's cells alone in a plain fork of the same warm Python: no walls, no checks, no
referee. Measured in turn with the gradings, so that both meet the same machine. Processor time is told as
well, which a busy machine distorts less than the clock.
"""

import argparse
import os
import sys
import time
from statistics import median

from grader.notebook import read_answers, restore
from grader.runner import grade
from grader.sandbox.local import LocalSandbox
from tests.bench.floor import Floor
from tests.bench.ours import Accounts, request_for, the_lab


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lab", default="autodiff")
    parser.add_argument("--gradings", type=int, default=60)
    options = parser.parse_args()

    lab = the_lab(options.lab)
    request = request_for(lab)
    cells = [[cell.id, cell.source] for cell in restore(lab, read_answers(lab, request.notebook))]
    sandbox = LocalSandbox((lab.zygote,))
    zygote = sandbox._zygotes[lab.zygote].pid
    floor = Floor(lab.zygote, cells)
    jails = Accounts("jails")
    rows: dict[str, list[float]] = {"whole grading": [], "floor: cells in a plain fork": []}
    try:
        for _ in range(3):
            grade(request, sandbox=sandbox, lab=lab)
            floor.seconds()
        jails.add(zygote)
        ours, theirs = time.process_time(), jails.seconds()
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
        theirs = jails.seconds() - theirs
    finally:
        floor.close()
        sandbox.close()
        jails.close()

    print(f"{lab.slug}: {len(report.results)} checks, score {report.score} of {report.max_score}, "
          f"{options.gradings} gradings, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(f"{'':34} {'p50':>9} {'p95':>9}")
    for name, times in rows.items():
        print(f"{name:34} {1e3 * median(times):6.1f} ms {1e3 * percentile(times, 0.95):6.1f} ms")
    ratio = median(rows["whole grading"]) / median(rows["floor: cells in a plain fork"])
    print(f"{'ratio to the floor':34} {ratio:6.1f} x")
    per = 1e3 / options.gradings
    print(f"processor time of one grading: worker {per * ours:.1f} ms, jail {per * theirs:.1f} ms")
    if report.score != report.max_score:
        sys.exit("the reference did not earn everything; these figures mean nothing")


if __name__ == "__main__":
    main()
