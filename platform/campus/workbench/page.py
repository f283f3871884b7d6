"""What the lab page shows, gathered from the lab, the draft and the latest submission."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils.safestring import SafeString

from campus.assignments.models import Assignment
from campus.courses.models import Enrolment
from campus.submissions.models import Attempt, Submission
from campus.ui.markdown import render_markdown
from campus.workbench.drafts import DraftState
from labs.catalog import Cell, CheckInfo, Lab


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """A check in the outline, with its verdict in the latest submission ("none": there is none)."""

    name: str
    title: str
    points: Decimal
    verdict: str


@dataclass(frozen=True, slots=True)
class ShownExercise:
    id: str
    title: str
    points: Decimal
    minutes: int
    first_cell: str
    cells: tuple[str, ...]
    checks: tuple[ShownCheck, ...]


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A cell of the page. `html` is set for prose, `source` for code."""

    id: str
    role: str
    html: SafeString
    source: str
    exercise: ShownExercise | None
    starts_exercise: bool
    checks: tuple[CheckInfo, ...]


def shown_exercises(lab: Lab, verdicts: dict[str, str]) -> tuple[ShownExercise, ...]:
    return tuple(
        ShownExercise(
            id=exercise.id,
            title=exercise.title,
            points=exercise.points,
            minutes=exercise.minutes,
            first_cell=exercise.cells[0] if exercise.cells else "",
            cells=exercise.cells,
            checks=tuple(
                ShownCheck(
                    name=check.name,
                    title=check.title,
                    points=check.points,
                    verdict=verdicts.get(check.name, "none"),
                )
                for check in map(lab.check, exercise.checks)
            ),
        )
        for exercise in lab.exercises
    )


def shown_cells(
    lab: Lab,
    exercises: tuple[ShownExercise, ...],
    answers: dict[str, str],
    figure_address: Callable[[str], str],
) -> list[ShownCell]:
    """The cells in the order of the notebook, with the student's answers in them."""
    by_id = {exercise.id: exercise for exercise in exercises}
    cells_of = {exercise.id: exercise.cells for exercise in lab.exercises}
    shown: list[ShownCell] = []
    for cell in lab.cells:
        own = cells_of.get(cell.exercise or "", ())
        checks = tuple(lab.check(name) for name in cell.checks)
        if cell.role == "check" and shown and shown[-1].role == "check":
            # Check cells that follow each other read as one list.
            source = f"{shown[-1].source}\n\n{cell.source}".strip("\n")
            shown[-1] = replace(shown[-1], checks=shown[-1].checks + checks, source=source)
            continue
        shown.append(
            ShownCell(
                id=cell.id,
                role=cell.role,
                html=_prose(cell, figure_address),
                source=answers.get(cell.id, cell.source),
                exercise=by_id.get(cell.exercise or ""),
                starts_exercise=bool(own) and own[0] == cell.id,
                checks=checks,
            )
        )
    return shown


def _prose(cell: Cell, figure_address: Callable[[str], str]) -> SafeString:
    if cell.kind != "markdown":
        return SafeString()
    source = _without_title(cell) if cell.id == "prose-1" else cell.source
    return render_markdown(source, headings_from=_heading(source), image_address=figure_address)


def _without_title(cell: Cell) -> str:
    """The first cell's own title is left out: the page has it above the points and dates."""
    first, _, rest = cell.source.lstrip().partition("\n")
    return rest if first.startswith("# ") else cell.source


def _heading(source: str) -> int:
    """The page has its <h1>; sections start at <h2>, what is deeper stays deeper."""
    levels = [
        len(line) - len(line.lstrip("#"))
        for line in source.splitlines()
        if line.startswith("#") and line.lstrip("#").startswith(" ")
    ]
    return max(2, min(levels, default=2))


def latest_attempts(enrolment: Enrolment, assignments: Iterable[Assignment]) -> dict[int, Attempt]:
    """Assignment id → the newest attempt of the newest submission, with its results: two queries."""
    attempts = (
        Attempt.objects.filter(
            submission__enrolment=enrolment, submission__assignment__in=list(assignments)
        )
        .select_related("submission")
        .prefetch_related("results")
        .order_by("submission__assignment_id", "-submission__number", "-number")
    )
    latest: dict[int, Attempt] = {}
    for attempt in attempts:
        latest.setdefault(attempt.submission.assignment_id, attempt)
    return latest


def verdicts_of(attempt: Attempt | None) -> dict[str, str]:
    """Check name → verdict."""
    if attempt is None:
        return {}
    return {result.check_name: result.verdict for result in attempt.results.all()}


def submission_addresses(course_slug: str, submission: Submission) -> dict[str, str]:
    arguments = [course_slug, submission.pk]
    return {
        f"{name}_url": reverse(f"submissions:{name}", args=arguments)
        for name in ("receipt", "events", "status", "detail")
    }


def figure_address(course_slug: str, assignment_slug: str) -> Callable[[str], str]:
    """Turns figures/step.svg of the lab's prose into an address of this site."""
    base = reverse("workbench:lab", args=[course_slug, assignment_slug])

    def address(source: str) -> str:
        if "://" in source:
            return source
        return f"{base}figures/{quote(source.removeprefix('figures/'))}"

    return address


def browser_config(
    *,
    enrolment: Enrolment,
    assignment: Assignment,
    lab: Lab,
    draft: DraftState,
    attempt: Attempt | None,
) -> dict[str, Any]:
    """What frontend/src/workbench/config.ts reads."""
    course = assignment.course
    arguments = [course.slug, assignment.slug]
    latest = None
    if attempt is not None:
        latest = {
            "submission": str(attempt.submission_id),
            "number": attempt.submission.number,
            "submitted_at": attempt.submission.submitted_at.isoformat(),
            **submission_addresses(course.slug, attempt.submission),
        }
    return {
        "storage_key": f"{enrolment.pk}:{assignment.pk}",
        "draft_url": reverse("workbench:api:put_draft", args=arguments),
        "submit_url": reverse("submissions:submit", args=arguments),
        "history_url": reverse("submissions:history", args=arguments),
        "sign_in_url": reverse("account_login"),
        "draft": {
            "revision": draft.revision,
            "answers": draft.answers,
            "saved_at": draft.saved_at.isoformat() if draft.saved_at else None,
        },
        "cells": [
            {"id": cell.id, "exercise": cell.exercise, "starter": cell.source}
            for cell in lab.cells
            if cell.role == "exercise"
        ],
        "exercises": [
            {
                "id": exercise.id,
                "title": exercise.title,
                "checks": [
                    {"name": check.name, "title": check.title, "points": str(check.points)}
                    for check in map(lab.check, exercise.checks)
                ],
            }
            for exercise in lab.exercises
        ],
        "due_at": assignment.due_at.isoformat() if assignment.due_at else None,
        "cut_off_at": assignment.cut_off_at.isoformat() if assignment.cut_off_at else None,
        "latest": latest,
    }
