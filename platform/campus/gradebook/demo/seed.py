"""Fill a course with made-up students and what they handed in, or take exactly that away again.

Rows are written in bulk, as the transitions of `submissions/` would have left them: a seeded waiting or
running attempt is a real one, so a worker that is there will grade it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from django.db import models, transaction

from campus.assignments.models import Assignment
from campus.courses.models import Course, Enrolment
from campus.gradebook.demo.errors import SeedError
from campus.gradebook.demo.examples import examples_of
from campus.gradebook.demo.people import enrol, seeded_enrolments, seeded_people
from campus.gradebook.demo.rows import Rows, Writer
from campus.gradebook.demo.story import tell
from campus.gradebook.models import ScoreEntry
from campus.submissions.models import Attempt, CheckResult, Draft, Submission
from labs.catalog import Lab, LabError, get_lab

BATCH = 500


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of each kind were made or taken away."""

    students: int = 0
    submissions: int = 0
    attempts: int = 0
    results: int = 0
    entries: int = 0
    drafts: int = 0


@transaction.atomic
def seed(*, course: Course, students: int, seed_number: int, now: datetime) -> Counts:
    """Students 1 to `students` with submissions for every lab of the course.

    Who is there already is left alone, so a second call makes nothing.

    Raises:
        SeedError: the course has no lab that can be read, or a username belongs to somebody real.
    """
    labs = labs_of(course)
    made = enrol(course, range(1, students + 1))
    total = Rows()
    for assignment, lab in labs:
        examples = examples_of(lab)
        written = Writer(assignment, lab, total)
        for number, enrolment in made.items():
            # Reproducible, and nothing that has to be secret.
            rng = Random(f"{seed_number}/{course.slug}/{assignment.slug}/{number}")  # noqa: S311
            story = tell(
                rng, number=number, lab=lab, examples=examples, assignment=assignment, now=now
            )
            written.add(rng, enrolment, story)
    Draft.objects.bulk_create(total.drafts, batch_size=BATCH)
    Submission.objects.bulk_create(total.submissions, batch_size=BATCH)
    Attempt.objects.bulk_create(total.attempts, batch_size=BATCH)
    CheckResult.objects.bulk_create(total.results, batch_size=BATCH)
    ScoreEntry.objects.bulk_create(total.entries, batch_size=BATCH)
    return Counts(
        students=len(made),
        submissions=len(total.submissions),
        attempts=len(total.attempts),
        results=len(total.results),
        entries=len(total.entries),
        drafts=len(total.drafts),
    )


@transaction.atomic
def remove(*, course: Course) -> Counts:
    """Take away the made-up students of a course with everything that hangs on them.

    Their accounts go once no course has them any more.
    """
    enrolments = list(seeded_enrolments(course).values_list("pk", flat=True))
    submissions = Submission.objects.filter(enrolment__in=enrolments)
    attempts = Attempt.objects.filter(submission__in=submissions)

    def gone(rows: models.QuerySet[Any]) -> int:
        return rows.order_by().delete()[0]

    entries = gone(ScoreEntry.objects.filter(enrolment__in=enrolments))
    results = gone(CheckResult.objects.filter(attempt__in=attempts))
    return Counts(
        entries=entries,
        results=results,
        attempts=gone(attempts),
        submissions=gone(submissions),
        drafts=gone(Draft.objects.filter(enrolment__in=enrolments)),
        students=_unenrol(enrolments),
    )


def _unenrol(enrolments: Sequence[int]) -> int:
    people = list(seeded_people().filter(enrolments__in=enrolments).values_list("pk", flat=True))
    Enrolment.objects.filter(pk__in=enrolments).delete()
    seeded_people().filter(pk__in=people, enrolments__isnull=True).delete()
    return len(people)


def labs_of(course: Course) -> list[tuple[Assignment, Lab]]:
    """The assignments that have a lab, with it."""
    assignments = list(Assignment.objects.filter(course=course).exclude(lab=""))
    if not assignments:
        raise SeedError(
            f"{course.slug} has no assignment with a lab, so there is nothing to hand in. "
            "`make run` makes one when it imports the course."
        )
    try:
        return [(assignment, get_lab(assignment.lab)) for assignment in assignments]
    except LabError as error:
        raise SeedError(f"A lab of {course.slug} cannot be read: {error}") from error
