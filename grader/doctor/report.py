"""What the doctor found: typed, printable, and the same as JSON."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Level(StrEnum):
    """A problem stops grading here; a warning says what is weaker, or less exact, than it could be."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


MARKS = {Level.OK: "✓", Level.WARNING: "!", Level.PROBLEM: "✗"}
REMEDY = "→"


class Finding(BaseModel):
    """One thing that was looked at. What is not ok comes with a remedy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: str
    name: str
    level: Level
    text: str
    remedy: str = ""


class Examination(BaseModel):
    """Everything that was looked at on this host."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    walls: tuple[str, ...]  # behind which a jail was really built, best first
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def problems(self) -> int:
        return sum(found.level is Level.PROBLEM for found in self.findings)

    @property
    def warnings(self) -> int:
        return sum(found.level is Level.WARNING for found in self.findings)

    def as_text(self) -> str:
        """One line for each finding, and one for its remedy, under the names of their groups."""
        lines: list[str] = []
        groups = list(dict.fromkeys(found.group for found in self.findings))
        width = max((len(found.name) for found in self.findings), default=0)
        for group in groups:
            lines += ["", group]
            for found in (each for each in self.findings if each.group == group):
                word = f"{MARKS[found.level]} {found.level.value}"
                lines.append(f"  {word:<10} {found.name:<{width}}  {found.text}")
                if found.remedy:
                    lines.append(f"  {'':<10} {'':<{width}}  {REMEDY} {found.remedy}")
        behind = f"behind {', '.join(self.walls)}" if self.walls else "behind no wall"
        able = "can grade" if not self.problems else "cannot grade yet"
        lines += [
            "",
            f"This host {able}: a jail was built {behind}; {_count(self.problems, 'problem')}, "
            f"{_count(self.warnings, 'warning')} ({self.seconds:.1f} s).",
        ]
        return "\n".join(lines[1:])


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
