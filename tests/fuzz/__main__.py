"""Coverage-guided fuzzing of everything that reads hostile bytes: `make fuzz`.

    python -m tests.fuzz [--execs 200000] [--seconds 20] [target…]

Needs atheris, which `make fuzz` puts into .fuzz/ (62 MB that nothing else needs). Every target runs in a
process of its own; what it finds is written to .fuzz/found/, and belongs into tests/fuzz/corpus/ once it
is mended. Ends with 1 when anything was found, with 3 when there is no atheris.
"""

import argparse
import random
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".fuzz"
INSTRUMENTED = (
    "grader.inside.wire", "grader.compare", "grader.switch", "grader.services", "labkit.network", "grader.session", "grader.document", "grader.metadata",
    "grader.notebook", "grader.percent", "grader.protocol",
)  # fmt: skip
NAMES = ("header", "decode", "hear", "ranks", "services", "notebook", "percent", "protocol")
FOUND, MISSING = 1, 3
MEMORY_MIB = 2048


def available() -> bool:
    """Whether atheris can be imported here."""
    if str(HOME) not in sys.path:
        sys.path.append(str(HOME))
    try:
        import atheris  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
    except ImportError:
        return False
    return True


def fuzz(name: str, execs: int, seconds: int) -> None:
    """One target in this process; libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        from tests.fuzz import targets
    target = targets.TARGETS[name]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MIB * 2**20 * 4, MEMORY_MIB * 2**20 * 4))
    count = 0

    def one(data: bytes) -> None:
        nonlocal count
        count += 1
        targets.checked(target, data, measured=count % 64 == 0)  # counting memory is slow

    found = HOME / "found"
    found.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gradus-fuzz-") as folder:
        for number, data in enumerate(targets.corpus(target)):
            Path(folder, str(number)).write_bytes(data)
        arguments = [
            f"-runs={execs}", f"-max_total_time={seconds}", "-timeout=10", "-print_final_stats=1", "-verbosity=0",
            f"-rss_limit_mb={MEMORY_MIB}", f"-artifact_prefix={found}/{name}-", "-max_len=65536",
            f"-seed={random.randrange(1, 2**31)}", folder,
        ]  # fmt: skip
        atheris.Setup(["fuzz", *arguments], one)
        atheris.Fuzz()


def main(arguments: list[str] | None = None) -> int:
    """Fuzz the chosen targets, one after the other."""
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="target", help=", ".join(NAMES))
    parser.add_argument("--execs", type=int, default=200_000, help="per target (200000)")
    parser.add_argument("--seconds", type=int, default=20, help="per target (20)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if not available():
        print("fuzz: atheris is not installed; `make fuzz` installs it into .fuzz/")
        return MISSING
    if options.here:
        fuzz(options.targets[0], options.execs, options.seconds)
        return 0
    broken = []
    for name in options.targets or NAMES:
        command = [sys.executable, "-m", "tests.fuzz", "--here", name]
        command += [f"--execs={options.execs}", f"--seconds={options.seconds}"]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False
        )
        told = (done.stdout + done.stderr).strip()
        passed = done.returncode == 0
        runs = re.findall(r"stat::number_of_executed_units: (\d+)", told)
        print(
            f"{name}: {''.join(runs) or 'no'} inputs, nothing found"
            if passed
            else f"{name}: {told[-4000:]}",
            flush=True,
        )
        broken += [] if passed else [name]
    return FOUND if broken else 0


if __name__ == "__main__":
    sys.exit(main())
