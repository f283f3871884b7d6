"""What the imports cost that stand in somebody's way: `python -m tests.bench.bench_imports`."""

import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 7
SITE = """
import os, sys
sys.path.insert(0, "platform")
os.environ["DJANGO_SETTINGS_MODULE"] = "campus.settings.test"
import campus.asgi
"""
GOALS = [  # what, statement, seconds
    ("grader.api", "import grader.api", 0.2),
    ("labs.catalog", "import labs.catalog", 0.2),
    ("campus.asgi", SITE, 1.5),
    ("gpu_workers.app", "import gpu_workers.app", 1.0),
]


def seconds_for(statement: str) -> float:
    """The statement's own time in a fresh interpreter, the middle one of several."""
    code = (
        f"import time; began = time.perf_counter()\n{statement}\nprint(time.perf_counter() - began)"
    )
    rounds = [
        float(
            subprocess.run(
                [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True
            ).stdout
        )
        for _ in range(ROUNDS)
    ]
    return statistics.median(rounds)


def main() -> int:
    slow = 0
    for what, statement, goal in GOALS:
        seconds = seconds_for(statement)
        slow += seconds > goal
        print(
            f"import {what:<16} {seconds * 1000:6.0f} ms   (goal {goal * 1000:.0f} ms)", flush=True
        )
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
