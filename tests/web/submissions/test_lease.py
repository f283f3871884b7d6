"""Renewing, reporting and ending an attempt: only under the current token, and exactly once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from campus.submissions import lease
from campus.submissions.errors import LeaseLostError, ReportRefusedError
from campus.submissions.lease import Claimed
from campus.submissions.models import Attempt, CheckResult
from grader.api import Verdict
from tests.cast import NOW, SECOND, Cast, claim_next, hand_in, report_on, result_of

pytestmark = pytest.mark.django_db
LATER = NOW + SECOND * 10
TOO_LATE = NOW + SECOND * 60


@pytest.fixture
def claimed(cast: Cast) -> Claimed:
    hand_in(cast)
    found = claim_next(cast)
    assert found is not None
    return found


def tell(cast: Cast, claimed: Claimed, *names: str, now=LATER, token: str = "") -> None:
    lease.check_done(
        attempt_id=claimed.attempt.pk,
        lease_token=token or claimed.lease_token,
        results=[result_of(cast.lab, name) for name in names],
        lab=cast.lab,
        now=now,
    )


def finish(cast: Cast, claimed: Claimed, report=None, *, now=LATER, token: str = "") -> Attempt:
    return lease.finish(
        attempt_id=claimed.attempt.pk,
        lease_token=token or claimed.lease_token,
        report=report or report_on(claimed.attempt.submission, cast.lab),
        lab=cast.lab,
        now=now,
    )


# --- renewing


def test_a_heartbeat_prolongs_the_lease(claimed: Claimed) -> None:
    decision = lease.renew(
        attempt_id=claimed.attempt.pk, lease_token=claimed.lease_token, now=LATER
    )
    assert decision == "continue"
    claimed.attempt.refresh_from_db()
    assert claimed.attempt.leased_until == LATER + timedelta(seconds=30)


def test_a_foreign_token_renews_nothing(claimed: Claimed) -> None:
    with pytest.raises(LeaseLostError):
        lease.renew(attempt_id=claimed.attempt.pk, lease_token="x" * 43, now=LATER)


def test_an_expired_lease_cannot_be_renewed(claimed: Claimed) -> None:
    with pytest.raises(LeaseLostError):
        lease.renew(attempt_id=claimed.attempt.pk, lease_token=claimed.lease_token, now=TOO_LATE)


def test_the_worker_of_a_cancelled_attempt_is_told_to_stop(claimed: Claimed) -> None:
    assert lease.cancel(claimed.attempt.pk, LATER)
    decision = lease.renew(
        attempt_id=claimed.attempt.pk, lease_token=claimed.lease_token, now=LATER
    )
    assert decision == "cancel"
    assert not lease.cancel(claimed.attempt.pk, LATER)


# --- verdicts as they fall


def test_verdicts_are_stored_as_they_fall(cast: Cast, claimed: Claimed) -> None:
    tell(cast, claimed, "doubles")
    tell(cast, claimed, "totals")
    assert list(CheckResult.objects.values_list("check_name", "verdict", "points")) == [
        ("doubles", "passed", 3),
        ("totals", "passed", 2),
    ]


def test_a_verdict_told_twice_is_one_row(cast: Cast, claimed: Claimed) -> None:
    tell(cast, claimed, "doubles")
    before = CheckResult.objects.get()
    tell(cast, claimed, "doubles")
    tell(cast, claimed, "doubles", "totals")
    assert CheckResult.objects.get(check_name="doubles").pk == before.pk
    assert CheckResult.objects.count() == 2


def test_verdicts_prolong_the_lease(cast: Cast, claimed: Claimed) -> None:
    tell(cast, claimed, "doubles")
    claimed.attempt.refresh_from_db()
    assert claimed.attempt.leased_until == LATER + timedelta(seconds=30)


def test_verdicts_under_a_foreign_token_are_refused(cast: Cast, claimed: Claimed) -> None:
    with pytest.raises(LeaseLostError):
        tell(cast, claimed, "doubles", token="x" * 43)
    assert not CheckResult.objects.exists()


def test_verdicts_after_the_end_are_refused(cast: Cast, claimed: Claimed) -> None:
    finish(cast, claimed, report_on(claimed.attempt.submission, cast.lab, failed=("doubles",)))
    with pytest.raises(LeaseLostError):
        tell(cast, claimed, "doubles")
    assert CheckResult.objects.get(check_name="doubles").verdict == "failed"


def test_whether_a_check_is_hidden_is_the_labs_to_say(cast: Cast, claimed: Claimed) -> None:
    pretended = result_of(cast.lab, "totals_hidden").model_copy(update={"hidden": False})
    lease.check_done(
        attempt_id=claimed.attempt.pk,
        lease_token=claimed.lease_token,
        results=[pretended],
        lab=cast.lab,
        now=LATER,
    )
    stored = CheckResult.objects.get()
    assert stored.hidden
    assert stored.detail["hidden"] is True


# --- the report


def test_the_score_is_added_up_from_the_results(cast: Cast, claimed: Claimed) -> None:
    report = report_on(
        claimed.attempt.submission, cast.lab, failed=("totals",), score=Decimal(9999)
    )
    attempt = finish(cast, claimed, report)
    assert attempt.state == Attempt.State.DONE
    assert attempt.outcome == Attempt.Outcome.GRADED
    assert (attempt.score, attempt.max_score) == (8, 10)
    assert attempt.results.count() == 4


def test_results_that_were_told_before_stay_the_same_rows(cast: Cast, claimed: Claimed) -> None:
    tell(cast, claimed, "totals")
    before = CheckResult.objects.get().pk
    finish(cast, claimed)
    assert CheckResult.objects.get(check_name="totals").pk == before
    names = CheckResult.objects.order_by("position").values_list("check_name", flat=True)
    assert list(names) == [check.name for check in cast.lab.checks]


def test_the_reports_word_beats_what_was_told_before(cast: Cast, claimed: Claimed) -> None:
    tell(cast, claimed, "totals")
    finish(cast, claimed, report_on(claimed.attempt.submission, cast.lab, failed=("totals",)))
    assert CheckResult.objects.get(check_name="totals").verdict == "failed"


def test_a_second_report_is_refused(cast: Cast, claimed: Claimed) -> None:
    finish(cast, claimed)
    with pytest.raises(LeaseLostError):
        finish(cast, claimed)


def test_a_late_report_is_refused_also_before_the_sweep_came(cast: Cast, claimed: Claimed) -> None:
    with pytest.raises(LeaseLostError):
        finish(cast, claimed, now=TOO_LATE)
    assert not CheckResult.objects.exists()


def test_the_report_of_a_worker_that_was_thought_dead_is_refused(
    cast: Cast, claimed: Claimed
) -> None:
    lease.requeue(Attempt.objects.with_expired_lease(TOO_LATE), TOO_LATE)
    second = claim_next(cast, now=TOO_LATE + SECOND)
    assert second is not None
    with pytest.raises(LeaseLostError):
        finish(cast, claimed, now=TOO_LATE + SECOND * 2)
    assert finish(cast, second, now=TOO_LATE + SECOND * 3).outcome == "graded"
    assert second.attempt.pk == claimed.attempt.pk
    assert CheckResult.objects.count() == 4


def test_a_cancelled_attempt_takes_no_report(cast: Cast, claimed: Claimed) -> None:
    lease.cancel(claimed.attempt.pk, LATER)
    with pytest.raises(LeaseLostError):
        finish(cast, claimed)


def _without(report, name: str):
    return report.model_copy(
        update={"results": tuple(r for r in report.results if r.check != name)}
    )


def _with_changed(report, name: str, **changes):
    return report.model_copy(
        update={
            "results": tuple(
                r.model_copy(update=changes) if r.check == name else r for r in report.results
            )
        }
    )


def test_a_report_that_cannot_be_true_is_refused(cast: Cast, claimed: Claimed) -> None:
    honest = report_on(claimed.attempt.submission, cast.lab)
    lies = {
        "No result for totals": _without(honest, "totals"),
        "no check 'invented'": _with_changed(honest, "totals", check="invented"),
        "reported twice": _with_changed(honest, "totals", check="doubles"),
        "can give 2.*points, not 3": _with_changed(honest, "totals", points=Decimal(3)),
        "can give 0 points": _with_changed(honest, "totals", verdict=Verdict.FAILED),
    }
    for words, lie in lies.items():
        with pytest.raises(ReportRefusedError, match=words):
            finish(cast, claimed, lie)
    claimed.attempt.refresh_from_db()
    assert claimed.attempt.state == Attempt.State.RUNNING
    assert finish(cast, claimed, honest).score == 10


def test_no_wall_is_remembered_with_the_result(cast: Cast, claimed: Claimed) -> None:
    report = report_on(claimed.attempt.submission, cast.lab, wall="none", unsafe=True)
    attempt = finish(cast, claimed, report)
    assert (attempt.wall, attempt.unsafe) == ("none", True)


@pytest.mark.django_db(transaction=True)
def test_of_five_identical_reports_at_once_one_is_taken(cast: Cast) -> None:
    hand_in(cast)
    claimed = claim_next(cast)
    assert claimed is not None

    def send(_: int) -> bool:
        try:
            finish(cast, claimed)
        except LeaseLostError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(5) as senders:
        assert sorted(senders.map(send, range(5))) == [False] * 4 + [True]
    assert CheckResult.objects.count() == 4


# --- failures of ours


def fail(cast: Cast, claimed: Claimed, now=LATER) -> Attempt:
    report = report_on(
        claimed.attempt.submission,
        cast.lab,
        results=(),
        failure="The wall fell down.",
        reference_number="ab12",
    )
    return finish(cast, claimed, report, now=now)


def test_a_failure_of_ours_puts_the_attempt_back(cast: Cast, claimed: Claimed) -> None:
    tell(cast, claimed, "doubles")
    attempt = fail(cast, claimed)
    assert attempt.state == Attempt.State.QUEUED
    assert (attempt.score, attempt.internal_errors) == (None, 1)
    assert attempt.queued_at == NOW
    assert not CheckResult.objects.exists()


def test_one_check_that_we_failed_counts_as_a_failure_of_ours(cast: Cast, claimed: Claimed) -> None:
    report = _with_changed(
        report_on(claimed.attempt.submission, cast.lab),
        "totals",
        verdict=Verdict.INTERNAL_ERROR,
        points=Decimal(0),
    )
    assert finish(cast, claimed, report).state == Attempt.State.QUEUED


def test_after_the_third_time_it_ends_visibly_and_without_a_score(cast: Cast) -> None:
    hand_in(cast)
    for _ in range(3):
        claimed = claim_next(cast)
        assert claimed is not None
        attempt = fail(cast, claimed)
    assert attempt.state == Attempt.State.DONE
    assert attempt.outcome == Attempt.Outcome.INTERNAL_ERROR
    assert attempt.score is None
    assert (attempt.failure, attempt.reference_number) == ("The wall fell down.", "ab12")
    assert claim_next(cast) is None


def test_a_failure_reported_late_changes_nothing(cast: Cast, claimed: Claimed) -> None:
    with pytest.raises(LeaseLostError):
        fail(cast, claimed, now=TOO_LATE)
    claimed.attempt.refresh_from_db()
    assert claimed.attempt.internal_errors == 0


def test_success_after_a_failure_of_ours_leaves_no_trace_of_it(
    cast: Cast, claimed: Claimed
) -> None:
    fail(cast, claimed)
    again = claim_next(cast)
    assert again is not None
    attempt = finish(cast, again)
    assert (attempt.score, attempt.failure, attempt.reference_number) == (10, "", "")
