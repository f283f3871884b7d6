"""nbgrader's cell metadata, schema versions 0 to 3, brought to version 3 and held against its rules.

The rules are those of nbgrader's own upgrade: a version is raised step by step, keys that version 3 does
not know are dropped, and a cell that is neither graded nor a solution nor locked is an ordinary cell.
Two things are stricter: a version newer than 3 and a cell that is a solution and locked at once are
refused, because nobody could say what they mean.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from grader.percent import GRADE_ID

NEWEST = 3
_FLAGS = ("grade", "solution", "locked", "task")


@dataclass(frozen=True, slots=True)
class CellMetadata:
    """What nbgrader says about one cell, whatever version it was written in."""

    grade_id: str
    grade: bool
    solution: bool
    locked: bool
    task: bool
    points: Decimal
    checksum: str = ""

    @property
    def is_test(self) -> bool:
        """A cell of tests: graded by running it."""
        return self.grade and not self.solution and not self.task

    @property
    def is_manual(self) -> bool:
        """An answer or a task that a human grades."""
        return self.task or (self.grade and self.solution)


def read_metadata(
    metadata: object, kind: str, problems: list[str], *, strict: bool = True
) -> CellMetadata | None:
    """The metadata of a cell, None for an ordinary cell or for one of which `problems` tells.

    Args:
        metadata: the cell's whole metadata, of which the key "nbgrader" is read.
        kind: "code" or "markdown".
        problems: what is wrong is added here, without the place: the caller knows it.
        strict: also hold the cell against the rules for its type; what came from a student need not
            keep them, since nothing but its id is used.
    """
    found = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    if found is None:
        return None
    if not isinstance(found, Mapping):
        problems.append("its nbgrader metadata is broken; it must be a table")
        return None
    version = found.get("schema_version", 0)
    if type(version) is not int or not 0 <= version <= NEWEST:
        newer = type(version) is int and version > NEWEST
        remedy = (
            "it was made by a newer nbgrader: save it with nbgrader 0.9"
            if newer
            else "versions 1 to 3 are read: run 'nbgrader update' on the notebook"
        )
        problems.append(f"nbgrader metadata of schema version {str(version)[:20]!a}; {remedy}")
        return None
    faults = list(_wrong_types(found, version))
    if not faults and not any(found.get(flag, False) for flag in _FLAGS):
        return None
    faults = faults or list(_broken_rules(found, kind, strict=strict))
    if faults:
        problems += faults
        return None
    grade, task = bool(found.get("grade", False)), bool(found.get("task", False))
    return CellMetadata(
        grade_id=str(found["grade_id"]),
        grade=grade,
        solution=bool(found.get("solution", False)),
        locked=bool(found.get("locked", False)),
        task=task,
        points=max(_points(found), Decimal(0)) if grade or task else Decimal(0),
        checksum=str(found.get("checksum", "")),
    )


def _points(found: Mapping[str, Any]) -> Decimal:
    points = found.get("points", 0)
    return Decimal(0) if points == "" else Decimal(str(points))


def _wrong_types(found: Mapping[str, Any], version: int) -> Iterator[str]:
    for flag in _FLAGS:
        if not isinstance(found.get(flag, False), bool):
            yield f"nbgrader metadata: {flag} must be true or false, not {str(found[flag])[:20]!a}"
    if not isinstance(found.get("grade_id", ""), str):
        yield "nbgrader metadata: grade_id must be a text"
    points = found.get("points", 0)
    texts = (str,) if version == 0 else ()  # version 0 kept what was typed into a field
    fits = isinstance(points, (int, float, *texts)) and not isinstance(points, bool)
    try:
        fits = fits and _points(found).is_finite()
    except InvalidOperation:
        fits = False
    if not fits:
        yield f"nbgrader metadata: points must be a number, not {str(points)[:20]!a}"


def _broken_rules(found: Mapping[str, Any], kind: str, *, strict: bool) -> Iterator[str]:
    grade_id = found.get("grade_id", "")
    if not grade_id:
        yield "nbgrader metadata: grade_id is missing; give the cell an id of its own"
    elif GRADE_ID.fullmatch(grade_id) is None:
        yield (
            f"nbgrader metadata: grade_id {grade_id[:70]!a} must be 1–64 letters, digits, '-' or "
            "'_'; rename it"
        )
    if not strict:
        return
    grade, solution, task = (found.get(key, False) for key in ("grade", "solution", "task"))
    version = found.get("schema_version", 0)
    if solution and found.get("locked", False):
        yield (
            "nbgrader metadata: is a solution and locked, so nobody could answer it; set locked to "
            "false, or solution to false"
        )
    if grade and version > 0 and "points" not in found:
        yield "nbgrader metadata: is graded but has no points; set them"
    if (grade or task) and version == NEWEST and _points(found) < 0:
        yield "nbgrader metadata: points must not be negative"
    if task and kind != "markdown":
        yield "nbgrader metadata: a task must be a markdown cell; change its type"
    if not task and kind == "markdown" and grade != solution:
        yield (
            "nbgrader metadata: an answer in markdown is graded by hand; set grade and solution both "
            "to true"
        )
