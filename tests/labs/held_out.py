"""Wrong solutions that are not shipped with a lab: a cell of the reference with some of its text replaced."""

from collections.abc import Mapping
from dataclasses import dataclass

from grader.lint import Linter
from grader.protocol import Verdict


@dataclass(frozen=True)
class HeldOut:
    """What is wrong, the checks that have to notice, and the change that makes it so."""

    about: str
    checks: tuple[str, ...]
    cell: str
    changes: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return self.about.replace(" ", "-")


def held_out(about: str, checks: str, cell: str, *changes: tuple[str, str]) -> HeldOut:
    return HeldOut(about, tuple(checks.split(", ")), cell, changes)


def changed(reference: Mapping[str, str], mistake: HeldOut) -> dict[str, str]:
    """The reference with this mistake in it; text that is not there is a mistake of the test."""
    source = reference[mistake.cell]
    for old, new in mistake.changes:
        assert old in source, f"{mistake.about}: the reference has no {old!r}"
        source = source.replace(old, new)
    return {**reference, mistake.cell: source}


def survivors(linter: Linter, mistake: HeldOut) -> dict[str, str]:
    """The checks that should have failed, and did not."""
    results = linter.ask(changed(linter.reference, mistake), mistake.checks)
    found = {name: results[name] for name in mistake.checks}
    return {
        name: f"{result.verdict}: {result.message}"
        for name, result in found.items()
        if result.verdict is not Verdict.FAILED
    }
