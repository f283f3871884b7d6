"""Who submitted what, with which score: the rows of one assignment, found, sorted and cut into pages.

Everything that can be sorted by is read for all students at once (three queries); the verdicts, which
are many, and the flags only for the page that is shown.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery

from campus.assignments.models import Assignment
from campus.gradebook.overview import best_scores
from campus.gradebook.querysets import newest_attempts, standing_entries, students
from campus.submissions.models import Attempt, CheckResult, Submission
from labs.catalog import Lab

ROWS_ON_A_PAGE = 100
ENTRY_COLUMNS = ("enrolment", "score_after", "max_score")


class Standing(StrEnum):
    """What became of a student's newest submission."""

    MISSING = "missing"
    WAITING = "waiting"
    RUNNING = "running"
    GRADED = "graded"
    INTERNAL_ERROR = "internal_error"
    CANCELLED = "cancelled"


STANDING_WORDS = {
    Standing.MISSING: "not submitted",
    Standing.WAITING: "waiting",
    Standing.RUNNING: "running",
    Standing.GRADED: "graded",
    Standing.INTERNAL_ERROR: "failed on our side",
    Standing.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class Pip:
    """One check of one submission, as small as it gets."""

    name: str
    exercise: str
    title: str
    verdict: str  # a verdict, or "none" while there is none


@dataclass(frozen=True, slots=True)
class Row:
    """One student. Everything after `section` is empty for who submitted nothing."""

    enrolment: int
    username: str
    name: str
    section: str
    submissions: int = 0
    submission: UUID | None = None
    submitted_at: datetime | None = None
    late: bool = False
    standing: Standing = Standing.MISSING
    attempt: UUID | None = None  # the one whose verdicts and score are shown
    unsafe: bool = False
    score: Decimal | None = None
    max_score: Decimal | None = None
    best: Decimal | None = None
    pips: tuple[Pip, ...] = ()
    flags: int = 0  # of that attempt; they change no score

    @property
    def state(self) -> str:
        return STANDING_WORDS[self.standing]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader asked for, read from the address; anything unknown falls back to the default."""

    search: str = ""
    standing: str = ""  # a Standing, "late", or empty for everybody
    section: str = ""
    order: str = "student"
    descending: bool = False
    page: int = 1

    @property
    def sort(self) -> str:
        """The order as the address has it; empty for the usual one."""
        order = ("-" if self.descending else "") + self.order
        return "" if order == "student" else order


@dataclass(frozen=True, slots=True)
class Page:
    """The rows to show, and how many there are."""

    rows: tuple[Row, ...]
    number: int
    pages: int
    found: int  # after search and filters
    total: int

    @property
    def first(self) -> int:
        return (self.number - 1) * ROWS_ON_A_PAGE + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1 if self.rows else 0


ORDERS: dict[str, Callable[[Row], Any]] = {
    "student": lambda row: row.username,
    "section": lambda row: row.section or None,
    "submissions": lambda row: row.submissions,
    "submitted": lambda row: row.submitted_at,
    "state": lambda row: list(Standing).index(row.standing),
    "score": lambda row: row.score,
    "best": lambda row: row.best,
}


def standing_of(state: str, outcome: str) -> Standing:
    """An attempt's two columns as one word."""
    match state, outcome:
        case Attempt.State.QUEUED, _:
            return Standing.WAITING
        case Attempt.State.RUNNING, _:
            return Standing.RUNNING
        case Attempt.State.DONE, Attempt.Outcome.GRADED:
            return Standing.GRADED
        case Attempt.State.DONE, _:
            return Standing.INTERNAL_ERROR
        case _:
            return Standing.CANCELLED


def rows_of(assignment: Assignment) -> list[Row]:
    """A row for every student of the course, by username, without verdicts."""
    if not assignment.lab and (parts := [part.lab for part in assignment.parts.all()]):
        return homework_rows(assignment, parts)
    best = best_scores(assignment)
    # While a regrade waits or runs, the score and the verdicts that it repeats stay on the page.
    graded = Attempt.objects.filter(
        submission=OuterRef("submission"), outcome=Attempt.Outcome.GRADED
    ).order_by("-number")
    newest = {
        enrolment: values
        for enrolment, *values in newest_attempts()
        .filter(submission__assignment=assignment)
        .order_by()
        .annotate(
            graded=Subquery(graded.values("pk")[:1]),
            graded_score=Subquery(graded.values("score")[:1]),
            graded_out_of=Subquery(graded.values("max_score")[:1]),
        )
        .values_list(
            "submission__enrolment",
            "submission__number",
            "submission",
            "submission__submitted_at",
            "pk",
            "state",
            "outcome",
            "unsafe",
            "graded",
            "graded_score",
            "graded_out_of",
        )
    }
    rows = []
    for pk, username, name, section in (
        students(assignment.course)
        .order_by("user__username")
        .values_list("pk", "user__username", "user__name", "section")
    ):
        row = Row(pk, username, name, section)
        if pk in newest:
            number, submission, at, attempt, state, outcome, unsafe, graded_pk, score, most = (
                newest[pk]
            )
            row = replace(
                row,
                submissions=number,
                submission=submission,
                submitted_at=at,
                late=assignment.is_late(at),
                standing=standing_of(state, outcome),
                attempt=graded_pk or attempt,
                unsafe=unsafe,
                score=score,
                max_score=most,
                best=best.get(pk),
            )
        rows.append(row)
    return rows


def homework_rows(homework: Assignment, labs: Sequence[str]) -> list[Row]:
    """The same for a homework that is made of these labs: its score is the ledger's, and the submission
    that a row leads to is the student's newest in any of the labs."""
    scores = {
        entry.enrolment_id: entry for entry in standing_entries(homework).only(*ENTRY_COLUMNS)
    }
    newest: dict[int, tuple[UUID, datetime]] = {}
    how_many: dict[int, int] = {}
    for enrolment, submission, at in (
        Submission.objects.filter(assignment__course=homework.course_id, assignment__lab__in=labs)
        .order_by("submitted_at", "number")
        .values_list("enrolment", "pk", "submitted_at")
    ):
        newest[enrolment] = submission, at
        how_many[enrolment] = how_many.get(enrolment, 0) + 1
    rows = []
    for pk, username, name, section in (
        students(homework.course)
        .order_by("user__username")
        .values_list("pk", "user__username", "user__name", "section")
    ):
        row = Row(pk, username, name, section)
        if pk in newest:
            submission, at = newest[pk]
            entry = scores.get(pk)
            row = replace(
                row,
                submissions=how_many[pk],
                submission=submission,
                submitted_at=at,
                late=homework.is_late(at),
                standing=Standing.GRADED if entry else Standing.WAITING,
                score=entry.score_after if entry else None,
                max_score=entry.max_score if entry else None,
                best=entry.score_after if entry else None,
            )
        rows.append(row)
    return rows


def counts_of(rows: Iterable[Row]) -> list[tuple[str, str, int]]:
    """(filter, words, how many) for every standing that somebody has, and for lateness."""
    found = list(rows)
    counts = [
        (str(standing), words, sum(row.standing == standing for row in found))
        for standing, words in STANDING_WORDS.items()
    ]
    counts.append(("late", "late", sum(row.late for row in found)))
    return [(key, words, count) for key, words, count in counts if count]


def matching(rows: Iterable[Row], wanted: Wanted) -> list[Row]:
    """Those whose name, username or section has every word of the search, and whom the filters let by."""
    words = wanted.search.casefold().split()
    found = []
    for row in rows:
        text = f"{row.username} {row.name} {row.section}".casefold()
        if not all(word in text for word in words):
            continue
        if wanted.section and row.section != wanted.section:
            continue
        if wanted.standing == "late" and not row.late:
            continue
        if wanted.standing not in ("", "late") and row.standing != wanted.standing:
            continue
        found.append(row)
    return found


def sorted_rows(rows: Sequence[Row], wanted: Wanted) -> list[Row]:
    """By the wanted column, then by username. Who has no value there comes last in both directions."""
    key = ORDERS[wanted.order]
    by_username = sorted(rows, key=lambda row: row.username)
    with_value = [row for row in by_username if key(row) is not None]
    without = [row for row in by_username if key(row) is None]
    return sorted(with_value, key=key, reverse=wanted.descending) + without


def page_of(rows: Sequence[Row], wanted: Wanted, lab: Lab | None) -> Page:
    """The wanted page, with the verdicts of its rows. A page past the end is the last one."""
    found = sorted_rows(matching(rows, wanted), wanted)
    pages = max(1, -(-len(found) // ROWS_ON_A_PAGE))
    number = min(max(wanted.page, 1), pages)
    shown = found[(number - 1) * ROWS_ON_A_PAGE : number * ROWS_ON_A_PAGE]
    return Page(
        rows=tuple(with_flags(with_pips(shown, lab))),
        number=number,
        pages=pages,
        found=len(found),
        total=len(rows),
    )


def with_pips(rows: Sequence[Row], lab: Lab | None) -> list[Row]:
    """The same rows with a pip a check: the lab's checks in its order, then what only the results have."""
    attempts = [row.attempt for row in rows if row.attempt is not None]
    results: dict[UUID, dict[str, Pip]] = {}
    for attempt, name, exercise, verdict in (
        CheckResult.objects.filter(attempt__in=attempts)
        .order_by("attempt", "position")
        .values_list("attempt", "check_name", "exercise", "verdict")
    ):
        results.setdefault(attempt, {})[name] = Pip(name, exercise, name, verdict)
    untried = pips_of(lab)

    def with_own(row: Row) -> Row:
        if row.attempt is None:
            return row
        own = results.get(row.attempt, {})
        pips = [replace(pip, verdict=own.pop(pip.name, pip).verdict) for pip in untried]
        return replace(row, pips=(*pips, *own.values()))

    return [with_own(row) for row in rows]


def with_flags(rows: Sequence[Row]) -> list[Row]:
    """The same rows with the number of things that a human should look at."""
    attempts = [row.attempt for row in rows if row.attempt is not None]
    found = dict(Attempt.objects.filter(pk__in=attempts).values_list("pk", "report__flags"))
    return [
        replace(row, flags=len(flags))
        if row.attempt is not None and isinstance(flags := found.get(row.attempt), list)
        else row
        for row in rows
    ]


def pips_of(lab: Lab | None) -> list[Pip]:
    """A pip for each check of a lab, none of them tried yet."""
    if lab is None:
        return []
    return [Pip(check.name, check.exercise, check.title, "none") for check in lab.checks]
