"""How long a person waits for `make run` once everything is installed: `make bench`."""

import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.run.make_run import make_run

ROUNDS = 5
GOAL_SECONDS = 8.0


def main() -> int:
    home = Path(tempfile.mkdtemp(prefix="gradus-bench-"))
    seconds = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        with make_run(home) as run:
            run.wait_for("Gradus is running", 120)
            seconds.append(time.perf_counter() - began)
            os.killpg(run.process.pid, signal.SIGINT)
            run.process.wait(40)
    first, *later = seconds
    print(f"make run, new database   {first:5.1f} s")
    print(
        f"make run, again          {statistics.median(later):5.1f} s   "
        f"(slowest of {ROUNDS}: {max(later):.1f} s; goal {GOAL_SECONDS:.0f} s)"
    )
    return 1 if statistics.median(later) > GOAL_SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
