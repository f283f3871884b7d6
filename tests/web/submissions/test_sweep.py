"""What nobody works on comes back, once, and never for ever."""

from datetime import timedelta

import pytest
from redis import Redis

from campus.submissions import lease
from campus.submissions.models import Attempt, CheckResult
from campus.submissions.sweep import Swept, sweep, sweep_at_the_edge
from tests.cast import NOW, SECOND, Cast, claim_next, hand_in, result_of

pytestmark = pytest.mark.django_db
EXPIRED = NOW + SECOND * 60


def test_an_expired_lease_is_requeued_in_its_old_place(cast: Cast) -> None:
    attempt = hand_in(cast).attempt
    claimed = claim_next(cast)
    assert claimed is not None
    lease.check_done(
        attempt_id=attempt.pk,
        lease_token=claimed.lease_token,
        results=[result_of(cast.lab, "doubles")],
        lab=cast.lab,
        now=NOW + SECOND,
    )
    assert sweep(EXPIRED).requeued == 1
    attempt.refresh_from_db()
    assert attempt.state == Attempt.State.QUEUED
    assert attempt.queued_at == NOW
    assert (attempt.lease_token, attempt.leased_until, attempt.worker_boot) == ("", None, "")
    assert not CheckResult.objects.exists()


def test_a_lease_that_is_still_good_is_left_alone(cast: Cast) -> None:
    hand_in(cast)
    claim_next(cast)
    assert sweep(NOW + SECOND * 20).requeued == 0


def test_a_second_sweep_finds_nothing(cast: Cast) -> None:
    hand_in(cast)
    claim_next(cast)
    sweep(EXPIRED)
    assert sweep(EXPIRED) == Swept(requeued=0, nudged=0)


def test_a_renewal_between_looking_and_writing_wins(cast: Cast) -> None:
    attempt = hand_in(cast).attempt
    claimed = claim_next(cast)
    assert claimed is not None
    seen_as_expired = Attempt.objects.with_expired_lease(EXPIRED)
    assert seen_as_expired.exists()
    Attempt.objects.filter(pk=attempt.pk).update(leased_until=EXPIRED + SECOND * 30)
    assert lease.requeue(seen_as_expired, EXPIRED) == 0


def test_what_waits_unclaimed_is_nudged_again_but_not_at_every_sweep(cast: Cast) -> None:
    hand_in(cast)
    assert sweep(NOW + SECOND * 5).nudged == 0  # its own nudge is still young
    assert sweep(NOW + SECOND * 20).nudged == 1
    assert sweep(NOW + SECOND * 25).nudged == 0
    assert sweep(NOW + SECOND * 40).nudged == 1


def test_an_attempt_that_outlives_ten_workers_is_given_up_visibly(cast: Cast) -> None:
    attempt = hand_in(cast).attempt
    now = NOW
    for _ in range(lease.MAX_CLAIMS):
        assert claim_next(cast, now=now) is not None
        now += timedelta(minutes=1)
        sweep(now)
    attempt.refresh_from_db()
    assert attempt.outcome == Attempt.Outcome.INTERNAL_ERROR
    assert "10 workers in a row" in attempt.failure
    assert claim_next(cast, now=now) is None


@pytest.mark.django_db(transaction=True)
def test_the_sweeps_nudges_reach_the_broker(cast: Cast, redis_server: "Redis") -> None:
    hand_in(cast)
    redis_server.flushall()
    sweep(NOW + SECOND * 20)
    assert redis_server.llen("cpu") == 1


@pytest.mark.django_db(transaction=True)
def test_beat_sweeps_by_itself_without_a_broker(cast: Cast) -> None:
    from campus.celery import SweepingScheduler, app

    attempt = hand_in(cast).attempt
    claim_next(cast)  # years ago, so its lease has long run out
    scheduler = SweepingScheduler(app=app)
    entry = scheduler.schedule["sweep"]
    scheduler.apply_entry(entry, producer=scheduler.producer)
    attempt.refresh_from_db()
    assert attempt.state == Attempt.State.QUEUED


def test_a_sweep_that_fails_does_not_end_the_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(now: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("campus.submissions.sweep.sweep", broken)
    sweep_at_the_edge()
