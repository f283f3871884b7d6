"""Homeworks: sets of exercises of labs, each part with points of its own.

A homework is a small file `homeworks/NAME.toml` beside the labs. Students do the labs; what of them
counts for a homework, and how much, is said here. Points inside a part are shared out among its
exercises in the proportion that these have in their lab.
"""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from grader.errors import LabError

_KEYS = {"title": "a text in quotes", "points": "a number", "parts": "[[parts]] tables"}
_PART_KEYS = {"lab": "a lab's folder name", "exercises": "a list of ids", "points": "a number"}


class _Lab(Protocol):
    @property
    def exercises(self) -> tuple[Any, ...]: ...


@dataclass(frozen=True, slots=True)
class Part:
    """Exercises of one lab, and what they are worth together in the homework."""

    lab: str
    exercises: tuple[str, ...]
    points: Decimal


@dataclass(frozen=True, slots=True)
class Homework:
    """A homework as its file composes it."""

    name: str
    title: str
    points: Decimal
    parts: tuple[Part, ...]


def read_homework(path: Path, lab_of: Callable[[str], _Lab]) -> Homework:
    """The homework in a file.

    Args:
        path: NAME.toml.
        lab_of: finds a lab by its slug; raises LabError where there is none.

    Raises:
        LabError: with every problem of the file, its key and the remedy.
    """
    try:
        with path.open("rb") as file:
            found = tomllib.load(file, parse_float=Decimal)
    except OSError as error:
        raise LabError(f"{path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LabError(f"{path}: {error}; correct the TOML.") from None
    faults = list(_faults(found, lab_of))
    if faults:
        raise LabError("\n".join(f"{path}: {fault}." for fault in faults))
    return Homework(
        name=path.stem,
        title=found["title"],
        points=Decimal(found["points"]),
        parts=tuple(
            Part(part["lab"], tuple(part["exercises"]), Decimal(part["points"]))
            for part in found["parts"]
        ),
    )


def _faults(found: dict[str, Any], lab_of: Callable[[str], _Lab]) -> Iterator[str]:
    yield from _key_faults(found, _KEYS, "")
    if not isinstance(found.get("title", ""), str) or found.get("title") == "":
        yield "title: must be a text in quotes"
    if "points" in found and not _is_points(found["points"]):
        yield f"points: must be a number above 0, not {found['points']!r}"
    parts = found.get("parts", [])
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        yield "parts: must be tables; write [[parts]]"
        return
    if not parts and "parts" in found:
        yield "parts: is empty; add a [[parts]] table"
    seen: set[tuple[str, str]] = set()
    for index, part in enumerate(parts):
        yield from _part_faults(part, f"parts[{index}]", seen, lab_of)
    worth = [part.get("points") for part in parts]
    if worth and _is_points(found.get("points")) and all(map(_is_points, worth)):
        total = sum((Decimal(points) for points in worth if points is not None), Decimal(0))
        if total != Decimal(found["points"]):
            yield f"points: the parts add up to {total}, not to {found['points']}; make them agree"


def _part_faults(
    part: dict[str, Any],
    place: str,
    seen: set[tuple[str, str]],
    lab_of: Callable[[str], _Lab],
) -> Iterator[str]:
    yield from _key_faults(part, _PART_KEYS, f"{place}.")
    if "points" in part and not _is_points(part["points"]):
        yield f"{place}.points: must be a number above 0, not {part['points']!r}"
    lab, exercises = part.get("lab"), part.get("exercises")
    if not isinstance(lab, str) or not isinstance(exercises, list):
        return
    if not exercises or not all(isinstance(one, str) for one in exercises):
        yield f"{place}.exercises: must list ids of exercises in quotes, at least one"
        return
    try:
        known = [exercise.id for exercise in lab_of(lab).exercises]
    except LabError as error:
        yield f"{place}.lab: {error}"
        return
    for one in exercises:
        if one not in known:
            yield f"{place}.exercises: {lab} has no {one!r}; it has {', '.join(known)}"
        elif (lab, one) in seen:
            yield f"{place}.exercises: {one} of {lab} counts twice; take one out"
        seen.add((lab, one))


def _key_faults(table: dict[str, Any], known: dict[str, str], place: str) -> Iterator[str]:
    for key, kind in known.items():
        if key not in table:
            yield f"{place}{key}: is missing; it is {kind}"
    for key in table:
        if key not in known:
            yield f"{place}{key}: unknown; known are {', '.join(known)}"


def _is_points(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and value > 0
