"""What `lab.toml` says about a lab, with every mistake in it found at once."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError

from grader.percent import GRADE_ID
from grader.protocol import Limits

Zygote = Literal["numpy", "torch", "torch-gpu"]
_REQUIRED: dict[str, type] = {
    "title": str,
    "summary": str,
    "topic": str,
    "week": int,
    "points": Decimal,
    "zygote": str,
    "exercises": list,
}
_OPTIONAL: dict[str, type] = {"limits": dict, "forbid": list, "papers": list, "fresh": bool}
_EXERCISE: dict[str, type] = {
    "id": str,
    "title": str,
    "points": Decimal,
    "minutes": int,
    "cells": list,
}
_PAPER: dict[str, type] = {"title": str, "authors": str, "year": int, "url": str}
_NAMES = {
    str: "a text in quotes",
    int: "a whole number",
    Decimal: "a number that is not negative",
    list: "a list",
    dict: "a table",
    bool: "true or false",
}


@dataclass(frozen=True, slots=True)
class Paper:
    """Something to read next."""

    title: str
    authors: str
    year: int
    url: str


@dataclass(frozen=True, slots=True)
class DescribedExercise:
    """An exercise as lab.toml lists it; its checks are found in checks.py."""

    id: str
    title: str
    points: Decimal
    minutes: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """The whole of lab.toml; the slug is the folder's name."""

    slug: str
    title: str
    summary: str
    topic: str
    week: int
    points: Decimal
    zygote: Zygote
    limits: Limits
    forbid: tuple[str, ...]
    papers: tuple[Paper, ...]
    exercises: tuple[DescribedExercise, ...]
    fresh: bool = False  # the notebook is run again for every check, in a process of its own


def read_description(path: Path, problems: list[str]) -> Description | None:
    """The description, or None after adding to `problems` everything that is wrong with it."""
    try:
        with path.open("rb") as file:
            found = tomllib.load(file, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{path}: {error}; correct the TOML.")
        return None
    faults = list(_faults(found))
    if not _is_slug(path.parent.name):
        faults.append(
            "the folder's name must be lower case letters, digits, '-' and '_'; rename it"
        )
    limits = Limits()
    try:
        limits = Limits.model_validate(
            {
                key: float(value) if isinstance(value, Decimal) else value
                for key, value in dict(found.get("limits", {})).items()
            }
        )
    except ValidationError as error:
        for fault in error.errors():
            key = ".".join(map(str, fault["loc"]))
            faults.append(f"limits.{key}: {fault['msg']}; known: {', '.join(Limits.model_fields)}")
    except (TypeError, ValueError):
        faults.append("limits: must be a table; write [limits]")
    if faults:
        problems += [f"{path}: {fault}." for fault in faults]
        return None
    return Description(
        slug=path.parent.name,
        title=found["title"],
        summary=found["summary"],
        topic=found["topic"],
        week=found["week"],
        points=Decimal(found["points"]),
        zygote=found["zygote"],
        limits=limits,
        forbid=tuple(found.get("forbid", ())),
        fresh=found.get("fresh", found["zygote"] == "torch-gpu"),
        papers=tuple(Paper(**paper) for paper in found.get("papers", ())),
        exercises=tuple(
            DescribedExercise(
                **exercise
                | {"points": Decimal(exercise["points"]), "cells": tuple(exercise["cells"])}
            )
            for exercise in found["exercises"]
        ),
    )


def _is_slug(name: str) -> bool:
    return name == name.lower() and GRADE_ID.fullmatch(name) is not None and name[0].isalnum()


def _faults(found: dict[str, Any]) -> Iterator[str]:
    yield from _key_faults(found, _REQUIRED, _OPTIONAL, "")
    zygotes = get_args(Zygote)
    if isinstance(found.get("zygote"), str) and found["zygote"] not in zygotes:
        yield f"zygote: {found['zygote']!r} is unknown; choose one of {', '.join(zygotes)}"
    for index, word in enumerate(_listed(found, "forbid")):
        if not isinstance(word, str) or not all(map(str.isidentifier, word.split("."))):
            yield f"forbid[{index}]: must be the name of a package or of a function in one, in quotes"
    for index, paper in enumerate(_listed(found, "papers")):
        yield from _key_faults(paper, _PAPER, {}, f"papers[{index}]")
        if isinstance(paper, dict) and not str(paper.get("url", "https://")).startswith("https://"):
            yield f"papers[{index}].url: must start with https://"
    seen: dict[str, set[str]] = {"id": set(), "cell": set()}
    for index, exercise in enumerate(_listed(found, "exercises")):
        place = f"exercises[{index}]"
        yield from _key_faults(exercise, _EXERCISE, {}, place)
        if not isinstance(exercise, dict):
            continue
        cells = [cell for cell in _listed(exercise, "cells") if isinstance(cell, str)]
        if len(cells) != len(_listed(exercise, "cells")) or not cells:
            yield f"{place}.cells: must list grade_ids of lab.py, at least one, in quotes"
        for kind, words in (("id", [exercise.get("id")]), ("cell", cells)):
            for word in words:
                if isinstance(word, str) and word in seen[kind]:
                    yield f"{place}: {kind} {word!r} belongs to an earlier exercise already"
                seen[kind].add(str(word))
        if isinstance(exercise.get("id"), str) and not 0 < len(exercise["id"]) <= 20:
            yield f"{place}.id: must have 1 to 20 characters, like E1"
    if found.get("exercises") == []:
        yield "exercises: is empty; add an [[exercises]] table"


def _listed(table: dict[str, Any], key: str) -> list[Any]:
    value = table.get(key, [])
    return value if isinstance(value, list) else []


def _key_faults(
    table: object, required: dict[str, type], optional: dict[str, type], place: str
) -> Iterator[str]:
    if not isinstance(table, dict):
        yield f"{place}: must be a table; write [[{place.partition('[')[0]}]]"
        return
    dot = f"{place}." if place else ""
    known = required | optional
    for key in required:
        if key not in table:
            yield f"{dot}{key}: is missing; it is {_NAMES[required[key]]}"
    for key, value in table.items():
        if key not in known:
            yield f"{dot}{key}: unknown; known are {', '.join(known)}"
        elif not _has_type(value, known[key]):
            yield f"{dot}{key}: must be {_NAMES[known[key]]}, not {value!r}"


def _has_type(value: object, kind: type) -> bool:
    if kind is Decimal:
        return isinstance(value, int | Decimal) and not isinstance(value, bool) and value >= 0
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return isinstance(value, kind) and value != ""
