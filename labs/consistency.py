"""Where `lab.toml`, `lab.py` and `checks.py` of one lab contradict each other."""

import ast
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from grader.percent import SourceCell

if TYPE_CHECKING:
    from labs.catalog import Lab


def inconsistencies(lab: "Lab", sources: tuple[SourceCell, ...]) -> Iterator[str]:
    """Where lab.toml, lab.py and checks.py contradict each other."""
    toml, page, declared = (lab.folder / name for name in ("lab.toml", "lab.py", "checks.py"))
    names = [check.name for check in lab.checks]
    exercises = {exercise.id for exercise in lab.exercises}
    points_of = {check.name: check.points for check in lab.checks}
    cell_points = {source.grade_id: source.points for source in sources}
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{declared}: check {name} is defined twice; rename one."
    for position, check in enumerate(lab.checks):
        if check.exercise not in exercises:
            yield f"{declared}: check {check.name}: exercise {check.exercise!r} is not in lab.toml."
        if check.gpu and lab.zygote != "torch-gpu":
            yield (
                f"{declared}: check {check.name}: gpu=True, but lab.toml says zygote = {lab.zygote!r}; "
                'write zygote = "torch-gpu", so that a worker with a GPU grades it.'
            )
        for needed in check.needs:
            if needed not in names[:position]:
                yield f"{declared}: check {check.name}: needs {needed!r}, which is not defined before it."
            elif lab.check(needed).hidden and not check.hidden:
                yield (
                    f"{declared}: check {check.name}: needs {needed!r}, which is hidden; hidden checks are "
                    "asked after all visible ones. Hide this one, too, or need another."
                )
    asked = [name for cell in lab.cells for name in cell.checks]
    for name in sorted(set(names) | set(asked)):
        if name not in names:
            yield f"{page}: check({name!r}) is asked for, but checks.py has no such function."
        elif asked.count(name) != 1:
            yield f"{page}: check({name!r}) must be asked in one check cell; it is in {asked.count(name)}."
    for cell in lab.cells:
        if cell.role == "check":
            body = ast.parse(cell.source).body
            points = sum((points_of.get(name, Decimal(0)) for name in cell.checks), Decimal(0))
            if len(body) != len(cell.checks):
                yield f'{page}: cell {cell.id}: only check("name") lines may stand in a check cell.'
            if cell_points.get(cell.id) != points:
                yield f"{page}: cell {cell.id}: points is {cell_points.get(cell.id)}; write {points}."
        if cell.role == "exercise" and cell.exercise is None:
            yield f"{toml}: exercises: cell {cell.id!r} of lab.py belongs to no exercise; list it."
    known = {cell.id for cell in lab.cells if cell.role == "exercise"}
    for exercise in lab.exercises:
        total = sum((lab.check(name).points for name in exercise.checks), Decimal(0))
        manual = [item.points for item in lab.manual if item.exercise == exercise.id]
        total += sum(manual, Decimal(0))
        by_hand = " and cells graded by hand" if manual else ""
        if total != exercise.points:
            yield (
                f"{toml}: exercises {exercise.id}: points = {exercise.points}, "
                f"but its checks{by_hand} add up to {total}."
            )
        for cell_id in exercise.cells:
            if cell_id not in known:
                yield f"{toml}: exercises {exercise.id}: cells: {cell_id!r} is no solution cell of lab.py."
    total = sum((exercise.points for exercise in lab.exercises), Decimal(0))
    if total != lab.points:
        yield f"{toml}: points = {lab.points}, but the exercises add up to {total}."
