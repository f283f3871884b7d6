"""Saving answers while they are being written, without losing those of a second tab.

A save names the revision that it started from. If the draft has moved on meanwhile nothing is
written and the caller gets the draft as it is, so that the browser can show both versions. The
compare-and-swap is one UPDATE; there are no locks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from campus.assignments.models import Assignment
from campus.courses.models import Enrolment
from campus.submissions.models import Draft
from labs.catalog import Lab

MAX_CELL_BYTES = 200 * 1024
MAX_DRAFT_BYTES = 1024 * 1024


class DraftRefusedError(Exception):
    """Nothing was stored; the message is a sentence for the student for each thing that is wrong."""


class DraftTooLargeError(DraftRefusedError):
    """An answer, or all of them together, is over its limit."""


@dataclass(frozen=True, slots=True)
class DraftState:
    """A draft as a browser sees it."""

    revision: int
    answers: dict[str, str]
    saved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Saved:
    draft: DraftState


@dataclass(frozen=True, slots=True)
class Conflict:
    """The draft has moved on since the revision that the caller started from; nothing was stored."""

    draft: DraftState


def read_draft(enrolment: Enrolment, assignment: Assignment, lab: Lab) -> DraftState:
    """The student's draft, without cells that the lab no longer has."""
    draft = Draft.objects.filter(enrolment=enrolment, assignment=assignment).first()
    if draft is None:
        return DraftState(revision=0, answers={}, saved_at=None)
    return _state(draft, lab)


def save_draft(
    *,
    enrolment: Enrolment,
    assignment: Assignment,
    lab: Lab,
    answers: Mapping[str, str],
    revision: int,
    now: datetime,
) -> Saved | Conflict:
    """Store these answers if the draft still is at `revision`; the same answers change nothing.

    Raises:
        DraftRefusedError: an answer is too large, unreadable or for no exercise cell of the lab.
    """
    _refuse(lab, answers)
    draft, _created = Draft.objects.get_or_create(enrolment=enrolment, assignment=assignment)
    if draft.revision != revision:
        return Conflict(_state(draft, lab))
    # An edited lab may have lost a cell; what was written there is kept for the day it comes back.
    kept = {cell: text for cell, text in draft.answers.items() if cell not in exercise_cells(lab)}
    wanted = kept | dict(answers)
    if draft.answers == wanted and draft.revision > 0:
        return Saved(_state(draft, lab))
    moved = Draft.objects.filter(pk=draft.pk, revision=revision).update(
        answers=wanted, revision=revision + 1, updated_at=now
    )
    draft.refresh_from_db()
    return Saved(_state(draft, lab)) if moved == 1 else Conflict(_state(draft, lab))


def exercise_cells(lab: Lab) -> set[str]:
    """The ids of the cells that students write in."""
    return {cell.id for cell in lab.cells if cell.role == "exercise"}


def _state(draft: Draft, lab: Lab) -> DraftState:
    known = exercise_cells(lab)
    answers = {cell: text for cell, text in draft.answers.items() if cell in known}
    saved_at = draft.updated_at if draft.revision > 0 else None
    return DraftState(revision=draft.revision, answers=answers, saved_at=saved_at)


def _refuse(lab: Lab, answers: Mapping[str, str]) -> None:
    too_large = list(_size_problems(answers))
    if too_large:
        raise DraftTooLargeError(" ".join(too_large))
    problems = list(_problems(lab, answers))
    if problems:
        raise DraftRefusedError(" ".join(problems))


def _size_problems(answers: Mapping[str, str]) -> Iterator[str]:
    sizes = {cell: len(source.encode("utf-8", "surrogatepass")) for cell, source in answers.items()}
    for cell, size in sizes.items():
        if size > MAX_CELL_BYTES:
            yield (
                f"The answer in {cell[:64]!a} has {size // 1024} KiB; a cell may have "
                f"{MAX_CELL_BYTES // 1024} KiB. Take large data out of it."
            )
    if sum(sizes.values()) > MAX_DRAFT_BYTES:
        yield f"All answers together are larger than {MAX_DRAFT_BYTES // 1024} KiB. Shorten them."


def _problems(lab: Lab, answers: Mapping[str, str]) -> Iterator[str]:
    known = exercise_cells(lab)
    for cell, source in answers.items():
        if cell not in known:
            yield (
                f"The lab has no exercise cell {cell[:64]!a}. It may have changed since this page "
                "was opened: copy your answer and reload the page."
            )
        elif "\0" in source or any("\ud800" <= character <= "\udfff" for character in source):
            yield (
                f"The answer in {cell[:64]!a} has a character that cannot be stored (NUL, or half "
                "of a surrogate pair). Delete it."
            )
