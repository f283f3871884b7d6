"""Write a graded attempt into the ledger. Called inside the transaction that ends the attempt."""

from datetime import datetime

from campus.courses.models import Enrolment
from campus.gradebook.homework import record_homeworks
from campus.gradebook.models import ScoreEntry
from campus.submissions.models import Attempt, Submission


def record_attempt(attempt: Attempt, now: datetime) -> ScoreEntry:
    """One entry for a graded attempt, and one for each homework whose total it changes. The newest
    graded submission counts for the lab, so an older one that is graded later leaves the score as it
    is, and its entry says so."""
    assert attempt.score is not None, "only a graded attempt is recorded"
    assert attempt.max_score is not None, "only a graded attempt is recorded"
    submission = attempt.submission
    # Two attempts of one student may end at the same time; each entry has to start where another ended.
    Enrolment.objects.select_for_update().get(pk=submission.enrolment_id)
    ledger = ScoreEntry.objects.filter(
        enrolment=submission.enrolment_id, assignment=submission.assignment_id
    )
    latest = ledger.order_by("-created_at", "-pk").first()
    newer = _newest_graded_number(submission)
    superseded = latest is not None and newer > submission.number
    reason = f"Submission {submission.number} was graded"
    if attempt.number > 1:
        reason += f" again (attempt {attempt.number})"
    if superseded:
        reason += f"; submission {newer} counts"
    entry = ScoreEntry.objects.create(
        enrolment_id=submission.enrolment_id,
        assignment_id=submission.assignment_id,
        attempt=attempt,
        author=None,
        reason=f"{reason}.",
        score_before=latest.score_after if latest else None,
        score_after=latest.score_after if latest and superseded else attempt.score,
        max_score=latest.max_score if latest and superseded else attempt.max_score,
        created_at=now,
    )
    record_homeworks(attempt, now)
    return entry


def _newest_graded_number(submission: Submission) -> int:
    newest = (
        Submission.objects.filter(
            enrolment=submission.enrolment_id,
            assignment=submission.assignment_id,
            attempts__outcome=Attempt.Outcome.GRADED,
        )
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
    )
    return newest or 0
