"""How far one person has come in each lab of a course, in two queries however many labs there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from campus.courses.models import Enrolment
from campus.gradebook.querysets import newest_attempts
from campus.schedule.deadlines import Deadline
from campus.schedule.syllabus import lab_of
from campus.submissions.models import Attempt


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """A check in the row of checks; "none" as long as it was not tried."""

    title: str
    verdict: str


@dataclass(frozen=True, slots=True)
class LabProgress:
    """One lab with its deadline and, for somebody who takes part, what was reached."""

    deadline: Deadline
    checks: tuple[ShownCheck, ...]
    state: str  # of the newest grading: queued, running, done, cancelled; empty: nothing handed in
    score: Decimal | None
    max_score: Decimal | None

    @property
    def passed(self) -> int:
        return sum(1 for check in self.checks if check.verdict == "passed")


def progress_in(lines: Iterable[Deadline], enrolment: Enrolment | None) -> dict[int, LabProgress]:
    """Assignment → progress for the labs among the deadlines, by the newest grading of this person."""
    attempts: dict[int, Attempt] = {}
    if enrolment is not None:
        found = (
            newest_attempts()
            .filter(submission__enrolment=enrolment)
            .select_related("submission")
            .defer("report", "submission__notebook")
            .prefetch_related("results")
        )
        attempts = {attempt.submission.assignment_id: attempt for attempt in found}
    return {
        line.assignment.pk: lab_progress(
            line, attempts.get(line.assignment.pk), personal=enrolment is not None
        )
        for line in lines
        if line.assignment.lab
    }


def lab_progress(line: Deadline, attempt: Attempt | None, *, personal: bool) -> LabProgress:
    lab = lab_of(line.assignment)
    verdicts = {r.check_name: r.verdict for r in attempt.results.all()} if attempt else {}
    shown = personal and lab is not None and bool(line.url)
    return LabProgress(
        deadline=line,
        checks=tuple(
            ShownCheck(check.title, verdicts.get(check.name, "none"))
            for check in (lab.checks if shown and lab is not None else ())
        ),
        state=attempt.state if attempt else "",
        score=attempt.score if attempt else None,
        max_score=attempt.max_score if attempt else None,
    )
