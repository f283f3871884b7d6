"""What one made-up student does in one lab: when, with which answers, with which mistakes.

Everything follows from the random generator that is passed in, so the same seed tells the same story.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from campus.assignments.models import Assignment
from campus.gradebook.demo.examples import Examples, Mistake
from labs.catalog import Lab

MOST_TRIES = 5
NEVER = 99
LATE_SHARE = 0.12
SYNTAX_ERROR = "    return (grad\n"  # a bracket that is never closed


class Kind(StrEnum):
    """How far one exercise is in one submission."""

    RIGHT = "right"
    MISTAKEN = "mistaken"
    UNTOUCHED = "untouched"
    UNFINISHED = "unfinished"  # does not parse, so nothing after it runs


class Ending(StrEnum):
    """What is special about a student, so that every state of the pages has somebody in it."""

    USUAL = "usual"
    NOTHING = "nothing"
    DRAFT = "draft"
    WAITING = "waiting"
    RUNNING = "running"
    OUR_FAILURE = "our_failure"
    RETRIED = "retried"
    REGRADED = "regraded"


# Of every thirty students these come out differently from the rest.
ENDINGS: Mapping[int, Ending] = {
    4: Ending.NOTHING,
    8: Ending.WAITING,
    11: Ending.DRAFT,
    14: Ending.RUNNING,
    17: Ending.NOTHING,
    21: Ending.OUR_FAILURE,
    26: Ending.RETRIED,
    29: Ending.REGRADED,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """One exercise in one submission."""

    kind: Kind
    mistake: Mistake | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """One submission: when, which answers, and how far each exercise is."""

    at: datetime
    answers: Mapping[str, str]
    progress: Mapping[str, Progress]


@dataclass(frozen=True, slots=True)
class Story:
    """All tries of one student, the oldest first."""

    ending: Ending
    tries: Sequence[Try]
    draft: Mapping[str, str]


def tell(
    rng: Random, *, number: int, lab: Lab, examples: Examples, assignment: Assignment, now: datetime
) -> Story:
    """The story of student `number`."""
    ending = ENDINGS.get(number % 30, Ending.USUAL)
    if ending is Ending.NOTHING:
        return Story(ending, (), {})
    how_many = (
        1 if ending is Ending.DRAFT else rng.choices(range(1, MOST_TRIES + 1), (6, 8, 6, 3, 2))[0]
    )
    plans = {
        exercise.id: _plan(rng, place, frozenset(exercise.cells), examples)
        for place, exercise in enumerate(lab.exercises)
    }
    last = ending if ending in (Ending.WAITING, Ending.RUNNING) else None
    tries = []
    for at, round_ in zip(
        _times(rng, how_many, assignment, now, last), range(how_many), strict=True
    ):
        progress = {name: _progress(plan, round_) for name, plan in plans.items()}
        if round_ == 0 and how_many > 1 and rng.random() < 0.12:
            progress = _with_a_broken_cell(rng, progress)
        tries.append(Try(at, _answers(lab, examples, progress), progress))
    if ending is Ending.DRAFT:
        return Story(ending, (), tries[0].answers)
    return Story(ending, tries, tries[-1].answers)


@dataclass(frozen=True, slots=True)
class _Plan:
    starts_at: int  # the round in which the exercise is first touched
    right_from: int  # the round from which it is solved
    mistakes: tuple[Mistake, ...]  # one after the other, in between


def _plan(rng: Random, place: int, cells: frozenset[str], examples: Examples) -> _Plan:
    """Later exercises are begun later and solved by fewer."""
    if not cells <= examples.solutions.keys():
        return _Plan(NEVER, NEVER, ())
    starts = rng.choices((0, 1, NEVER), (10, 1 + place, 0.6 * place))[0]
    struggles = rng.choices((0, 1, 2, NEVER), (9, 3 + place, 1 + place, 1 + place))[0]
    mistakes = examples.mistakes_in(cells)
    rng.shuffle(mistakes)
    right_from = min(starts + (struggles if mistakes else 0), NEVER)
    return _Plan(starts, right_from, tuple(mistakes))


def _progress(plan: _Plan, round_: int) -> Progress:
    if round_ < plan.starts_at:
        return Progress(Kind.UNTOUCHED)
    if round_ >= plan.right_from:
        return Progress(Kind.RIGHT)
    # The same mistake is usually handed in twice before somebody finds it.
    return Progress(
        Kind.MISTAKEN, plan.mistakes[(round_ - plan.starts_at) // 2 % len(plan.mistakes)]
    )


def _with_a_broken_cell(rng: Random, progress: Mapping[str, Progress]) -> dict[str, Progress]:
    begun = [name for name, one in progress.items() if one.kind is not Kind.UNTOUCHED]
    if not begun:
        return dict(progress)
    return {**progress, rng.choice(begun): Progress(Kind.UNFINISHED)}


def _answers(lab: Lab, examples: Examples, progress: Mapping[str, Progress]) -> dict[str, str]:
    """Every exercise cell, as its exercise's progress has it; the starter where there is none."""
    answers = {cell.id: cell.source for cell in lab.cells if cell.role == "exercise"}
    for exercise in lab.exercises:
        one = progress[exercise.id]
        if one.kind is Kind.UNTOUCHED:
            continue
        solved = {cell: examples.solutions[cell] for cell in exercise.cells}
        if one.mistake is not None:
            solved |= one.mistake.cells
        if one.kind is Kind.UNFINISHED:
            last = exercise.cells[-1]
            solved[last] = solved[last].rstrip() + "\n" + SYNTAX_ERROR
        answers |= solved
    return answers


def _times(
    rng: Random, how_many: int, assignment: Assignment, now: datetime, last: Ending | None
) -> list[datetime]:
    """Spread over the days before the due date, evenings preferred; a few come late; none from the
    future. What still waits or runs was handed in just now."""
    latest = now - timedelta(minutes=2)
    due = (
        assignment.due_at if assignment.due_at is not None and assignment.due_at < latest else None
    )
    end = due or latest
    start = end - timedelta(days=6)
    if assignment.release_at is not None and start < assignment.release_at < end:
        start = assignment.release_at
    span = (end - start).total_seconds()
    times = sorted(
        start + timedelta(seconds=span * rng.betavariate(2.2, 1.2)) for _ in range(how_many)
    )
    if due is not None and rng.random() < LATE_SHARE:
        times[-1] = min(due + timedelta(hours=rng.uniform(0.1, 24)), latest)
    if last is not None:
        times[-1] = now - timedelta(seconds=20 if last is Ending.WAITING else 5)
    return times
