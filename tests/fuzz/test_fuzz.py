"""What was found once stays mended, random changes find nothing new, and the coverage-guided fuzzer runs."""

import random
import subprocess
import sys

import pytest

from tests.fuzz.__main__ import MISSING, NAMES, ROOT
from tests.fuzz.targets import TARGETS, Target, checked, corpus

CHANGES = {"header": 2000, "decode": 1500, "hear": 120, "ranks": 120, "services": 1500, "notebook": 300, "percent": 300, "protocol": 300}  # fmt: skip
WORDS = [
    b"[", b"]", b"{", b"}", b'"', b"\\", b"\\ud800", b"\\u0000", b"NaN", b"1e999", b"-1", b"9" * 400, b"\x00",
    b"\xff", b'{"a":0}', b'{"T":0}', b'"f8"', b'"O"', b"[0,4503599627370496]", b"# %%", b"### END SOLUTION",
    b"nbgrader={", b"\xef\xbb\xbf", b"\x1b[2J", b"9007199254740993",
]  # fmt: skip


def test_every_target_is_named() -> None:
    assert set(TARGETS) == set(NAMES) == set(CHANGES)


@pytest.mark.parametrize("name", NAMES)
def test_seeds_and_what_was_found_once_are_read_quietly(name: str) -> None:
    for data in corpus(TARGETS[name]):
        checked(TARGETS[name], data, measured=True)


@pytest.mark.parametrize("name", NAMES)
def test_random_changes_are_read_quietly(name: str) -> None:
    rng = random.Random(20250204)
    target = TARGETS[name]
    seeds = corpus(target)
    for number in range(CHANGES[name]):
        checked(target, changed(rng, seeds), measured=number % 50 == 0)


def changed(rng: random.Random, seeds: list[bytes]) -> bytes:
    """One or two seeds, spliced, with bytes changed, dropped, doubled, and words of the formats put in."""
    data = bytearray(rng.choice(seeds))
    if rng.random() < 0.2:
        other = rng.choice(seeds)
        data[rng.randrange(len(data) + 1) :] = other[rng.randrange(len(other) + 1) :]
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at : at + rng.randrange(1, 9)]
        elif kind == 2:
            data[at:at] = data[at : at + rng.randrange(1, 200)] * rng.choice((1, 1, 50))
        else:
            data[at:at] = rng.choice(WORDS)
    return bytes(data[:200_000])


def test_a_target_that_hangs_or_bloats_is_found() -> None:
    """A search that finds nothing proves nothing unless it can find something."""

    def bloat(data: bytes) -> None:
        bytearray(3 * 2**20)

    with pytest.raises(AssertionError, match="MiB"):
        checked(Target("bloat", bloat, list, most_mib=1), b"", measured=True)


def test_the_fuzzer_finds_nothing_in_two_seconds() -> None:
    """Of two targets, so that it is known to work; `make fuzz` takes its time for all of them."""
    command = [
        sys.executable,
        "-m",
        "tests.fuzz",
        "--seconds=2",
        "--execs=3000",
        "decode",
        "notebook",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)  # fmt: skip
    if done.returncode == MISSING:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout
