"""Very many gradings in a row, and what they leave behind.

    python -m tests.bench.bench_soak --gradings 10000 [--lab arrays] [--wall local]

Ends with status 1 when something leaked, an internal error happened, or two results of the same submission
differed in anything but times.
"""

import argparse
import sys

from tests.bench.leaks import soak, table
from tests.bench.ours import the_lab


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gradings", type=int, default=1000)
    parser.add_argument("--lab", default="arrays")
    parser.add_argument("--wall", default=None)
    options = parser.parse_args()
    done = soak(
        the_lab(options.lab),
        options.gradings,
        options.wall,
        lambda number: print(f"  {number} gradings", flush=True),
    )
    print("\n".join(table(done)))
    return 0 if done.sound else 1


if __name__ == "__main__":
    sys.exit(main())
