"""Stories turned into rows, as the transitions of `submissions/` would have left them."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from campus.assignments.models import Assignment
from campus.courses.models import Enrolment
from campus.gradebook.demo import verdicts
from campus.gradebook.demo.story import Ending, Story, Try
from campus.gradebook.models import ScoreEntry
from campus.submissions.canonical import sha256_of
from campus.submissions.models import Attempt, CheckResult, Draft, Submission
from grader.api import CheckResult as CheckMessage
from grader.api import GradingReport
from labs.catalog import Lab, student_notebook

SEEDED = "seed"  # named as worker and wall, so that nobody takes made-up verdicts for real ones


@dataclass(frozen=True, slots=True)
class Rows:
    """What is to be written, in the order in which it can be."""

    drafts: list[Draft] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    results: list[CheckResult] = field(default_factory=list)
    entries: list[ScoreEntry] = field(default_factory=list)


class Writer:
    """Turns stories about one assignment into rows."""

    def __init__(self, assignment: Assignment, lab: Lab, rows: Rows) -> None:
        self.assignment, self.lab, self.rows = assignment, lab, rows
        self.positions = {check.name: place for place, check in enumerate(lab.checks, start=1)}
        self.notebooks: dict[tuple[tuple[str, str], ...], tuple[str, str]] = {}

    def add(self, rng: Random, enrolment: Enrolment, story: Story) -> None:
        if story.draft:
            self.rows.drafts.append(
                Draft(
                    enrolment=enrolment,
                    assignment=self.assignment,
                    answers=dict(story.draft),
                    revision=rng.randint(3, 90),
                )
            )
        score: Decimal | None = None
        for number, one in enumerate(story.tries, start=1):
            is_last = number == len(story.tries)
            ending = story.ending if is_last else Ending.USUAL
            submission = self._submission(rng, enrolment, one, number)
            for attempt in self._attempts(rng, submission, one, ending):
                self._enter_score(enrolment, attempt, score)
                score = attempt.score

    def _submission(self, rng: Random, enrolment: Enrolment, one: Try, number: int) -> Submission:
        notebook, sha256 = self._notebook(one.answers)
        submission = Submission(
            id=_uuid(rng),
            enrolment=enrolment,
            assignment=self.assignment,
            number=number,
            notebook=notebook,
            sha256=sha256,
            lab_hash=self.lab.content_hash,
            idempotency_key=f"{SEEDED}-{number}",
            submitted_at=one.at,
        )
        self.rows.submissions.append(submission)
        return submission

    def _notebook(self, answers: Mapping[str, str]) -> tuple[str, str]:
        """Many hand in the same: each different notebook is written once."""
        key = tuple(sorted(answers.items()))
        if key not in self.notebooks:
            content = student_notebook(self.lab, answers)
            self.notebooks[key] = (content.decode(), sha256_of(content))
        return self.notebooks[key]

    def _attempts(
        self, rng: Random, submission: Submission, one: Try, ending: Ending
    ) -> Iterator[Attempt]:
        attempt = Attempt(
            id=_uuid(rng),
            submission=submission,
            capability="gpu" if self.lab.zygote == "torch-gpu" else "cpu",
            lab_hash=self.lab.content_hash,
            queued_at=one.at,
            nudged_at=one.at,
        )
        self.rows.attempts.append(attempt)
        match ending:
            case Ending.WAITING:
                return
            case Ending.RUNNING:
                self._run(rng, attempt, one)
                return
            case Ending.OUR_FAILURE:
                self._fail(rng, attempt)
                return
            case Ending.RETRIED:
                attempt.claims, attempt.internal_errors = 2, 1
                attempt.reference_number = _reference(rng)
        self._grade(rng, attempt, one)
        yield attempt
        if ending is Ending.REGRADED:
            again = Attempt(
                id=_uuid(rng),
                submission=submission,
                number=2,
                purpose=Attempt.Purpose.REGRADE,
                capability=attempt.capability,
                lab_hash=self.lab.content_hash,
                queued_at=attempt.queued_at + timedelta(hours=5),
            )
            self.rows.attempts.append(again)
            self._grade(rng, again, one)
            yield again

    def _run(self, rng: Random, attempt: Attempt, one: Try) -> None:
        """Half way: a worker has it, its lease will run out unless a real worker takes over."""
        attempt.state = Attempt.State.RUNNING
        attempt.claims = 1
        attempt.claimed_at = one.at + timedelta(seconds=1)
        attempt.leased_until = one.at + timedelta(seconds=30)
        attempt.lease_token = hashlib.sha256(secrets.token_bytes(32)).hexdigest()
        attempt.worker_name, attempt.wall = f"{SEEDED}/0", SEEDED
        results = verdicts.check_results(rng, self.lab, one.progress, one.answers)
        self._store(attempt, results[: len(results) // 2], attempt.claimed_at)

    def _fail(self, rng: Random, attempt: Attempt) -> None:
        attempt.state, attempt.outcome = Attempt.State.DONE, Attempt.Outcome.INTERNAL_ERROR
        attempt.claims = attempt.internal_errors = 3
        attempt.claimed_at = attempt.queued_at + timedelta(seconds=40)
        attempt.finished_at = attempt.claimed_at + timedelta(seconds=2)
        attempt.failure = "The zygote ended while it made a jail (exit status 137)."
        attempt.reference_number = _reference(rng)
        attempt.worker_name, attempt.wall = f"{SEEDED}/1", SEEDED

    def _grade(self, rng: Random, attempt: Attempt, one: Try) -> None:
        results = verdicts.check_results(rng, self.lab, one.progress, one.answers)
        waited = rng.choice((0.05, 0.08, 0.2, 0.6, 4.0))
        stages = {
            "restore": rng.uniform(0.001, 0.004),
            "fork": rng.uniform(0.02, 0.04),
            "notebook": rng.uniform(0.01, 0.06),
            "checks": sum(result.seconds for result in results) + rng.uniform(0.01, 0.05),
        }
        took = sum(stages.values())
        attempt.state, attempt.outcome = Attempt.State.DONE, Attempt.Outcome.GRADED
        attempt.claims = attempt.claims or 1
        attempt.claimed_at = attempt.queued_at + timedelta(seconds=waited)
        attempt.finished_at = attempt.claimed_at + timedelta(seconds=took)
        attempt.worker_name, attempt.wall = f"{SEEDED}/{rng.randrange(2)}", SEEDED
        attempt.score = sum((result.points for result in results), Decimal(0))
        attempt.max_score = sum((check.points for check in self.lab.checks), Decimal(0))
        attempt.report = GradingReport(
            attempt=str(attempt.pk),
            lab=self.lab.slug,
            lab_hash=self.lab.content_hash,
            submission_sha256=attempt.submission.sha256,
            cells=tuple(verdicts.cell_results(rng, self.lab, one.progress, one.answers)),
            score=attempt.score,
            max_score=attempt.max_score,
            wall=SEEDED,
            seconds=round(took, 4),
            stages={name: round(seconds, 4) for name, seconds in stages.items()},
        ).model_dump(mode="json", exclude={"results"})
        self._store(attempt, results, attempt.finished_at)

    def _store(self, attempt: Attempt, results: Sequence[CheckMessage], at: datetime) -> None:
        self.rows.results.extend(
            CheckResult(
                attempt=attempt,
                check_name=result.check,
                exercise=result.exercise,
                position=self.positions[result.check],
                verdict=result.verdict.value,
                points=result.points,
                max_points=result.max_points,
                hidden=result.hidden,
                detail=result.model_dump(mode="json"),
                received_at=at,
            )
            for result in results
        )

    def _enter_score(self, enrolment: Enrolment, attempt: Attempt, before: Decimal | None) -> None:
        """What `gradebook.record` writes about a graded attempt; these come in the order of time."""
        if attempt.score is None or attempt.max_score is None or attempt.finished_at is None:
            raise ValueError("only a graded attempt has a score to enter")
        again = f" again (attempt {attempt.number})" if attempt.number > 1 else ""
        self.rows.entries.append(
            ScoreEntry(
                enrolment=enrolment,
                assignment=self.assignment,
                attempt=attempt,
                reason=f"Submission {attempt.submission.number} was graded{again}.",
                score_before=before,
                score_after=attempt.score,
                max_score=attempt.max_score,
                created_at=attempt.finished_at,
            )
        )


def _uuid(rng: Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)


def _reference(rng: Random) -> str:
    return f"{rng.getrandbits(40):010x}"
