"""What an import of nbgrader notebooks would make, before anything is written."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class FoundLab:
    """One notebook that could become a lab. With problems it cannot."""

    slug: str
    title: str
    place: str  # in the folder
    notebook: bytes
    points: Decimal
    tests: int
    manual: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do."""

    labs: tuple[FoundLab, ...]
    problems: tuple[str, ...]
    left_aside: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether it can be stored as it is."""
        return bool(self.labs) and not self.problems and not any(lab.problems for lab in self.labs)
