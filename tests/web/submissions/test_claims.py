"""Who gets which attempt: in fair order, by lab and capability, and never two workers the same."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection

from campus.submissions import lease
from campus.submissions.lease import Holder
from campus.submissions.models import Attempt
from tests.cast import HOLDER, NOW, SECOND, Cast, another_student, claim_next, hand_in

pytestmark = pytest.mark.django_db


def order_of_claims(cast: Cast, count: int) -> list[str]:
    """The owners of the next attempts, in the order in which they are handed out."""
    owners = []
    for number in range(count):
        claimed = claim_next(cast, now=NOW + SECOND * (number + 60))
        assert claimed is not None
        owners.append(claimed.attempt.submission.enrolment.user.username)
    return owners


def test_nothing_is_claimed_when_nothing_waits(cast: Cast) -> None:
    assert claim_next(cast) is None


def test_a_claim_makes_the_attempt_running_under_a_lease(cast: Cast) -> None:
    hand_in(cast)
    claimed = claim_next(cast)
    assert claimed is not None
    attempt = claimed.attempt
    assert attempt.state == Attempt.State.RUNNING
    assert attempt.leased_until == NOW + SECOND + timedelta(seconds=30)
    assert (attempt.worker_name, attempt.worker_boot) == (HOLDER.name, HOLDER.boot)
    assert attempt.claims == 1


def test_only_the_hash_of_the_token_is_stored(cast: Cast) -> None:
    hand_in(cast)
    claimed = claim_next(cast)
    assert claimed is not None
    assert len(claimed.lease_token) >= 43  # 256 bits in base64
    assert claimed.attempt.lease_token == lease.token_hash(claimed.lease_token)
    assert claimed.lease_token not in str(Attempt.objects.values().get())


def test_what_is_claimed_is_not_claimed_again(cast: Cast) -> None:
    hand_in(cast)
    assert claim_next(cast) is not None
    assert claim_next(cast) is None


def test_one_persons_attempts_come_first_in_first_out(cast: Cast) -> None:
    numbers = [hand_in(cast, now=NOW + SECOND * n).submission.number for n in range(3)]
    claimed = [claim_next(cast, now=NOW + SECOND * 60) for _ in numbers]
    assert [c.attempt.submission.number for c in claimed if c] == numbers


def test_twenty_tries_of_one_do_not_delay_anothers_first(cast: Cast) -> None:
    other = another_student(cast, "other")
    for _ in range(20):
        hand_in(cast)
    hand_in(cast, who=other, now=NOW + SECOND * 30)
    assert order_of_claims(cast, 4) == ["student", "other", "student", "student"]


def test_who_has_fewest_attempts_running_comes_first(cast: Cast) -> None:
    other = another_student(cast, "other")
    for _ in range(3):
        hand_in(cast)
    claim_next(cast)  # of the student
    hand_in(cast, who=other, now=NOW + SECOND * 30)
    hand_in(cast, who=other, now=NOW + SECOND * 31)
    assert order_of_claims(cast, 4) == ["other", "student", "other", "student"]


def test_a_claim_of_long_ago_does_not_count_against_anybody(cast: Cast) -> None:
    other = another_student(cast, "other")
    hand_in(cast)
    claimed = claim_next(cast)
    assert claimed is not None
    lease.cancel(claimed.attempt.pk, NOW)
    later = NOW + timedelta(minutes=10)
    hand_in(cast, now=later)
    hand_in(cast, who=other, now=later + SECOND)
    assert (first := claim_next(cast, now=later + SECOND * 2)) is not None
    assert first.attempt.submission.enrolment.user == cast.student


def test_interactive_comes_before_regrade(cast: Cast) -> None:
    regrade = hand_in(cast).attempt
    Attempt.objects.filter(pk=regrade.pk).update(purpose=Attempt.Purpose.REGRADE)
    interactive = hand_in(cast, now=NOW + SECOND * 50).attempt
    first, second = claim_next(cast), claim_next(cast)
    assert first is not None
    assert second is not None
    assert (first.attempt, second.attempt) == (interactive, regrade)


def test_a_worker_gets_only_labs_that_it_has(cast: Cast) -> None:
    hand_in(cast)
    assert (
        lease.claim(labs={"other": "0" * 64}, capabilities=["cpu"], holder=HOLDER, now=NOW) is None
    )


def test_a_worker_gets_only_what_it_is_capable_of(cast: Cast) -> None:
    attempt = hand_in(cast).attempt
    Attempt.objects.filter(pk=attempt.pk).update(capability="gpu")
    assert claim_next(cast) is None
    labs = {cast.lab.slug: cast.lab.content_hash}
    assert lease.claim(labs=labs, capabilities=["cpu", "gpu"], holder=HOLDER, now=NOW) is not None


@pytest.mark.django_db(transaction=True)
def test_rival_claimers_never_get_the_same_attempt(cast: Cast) -> None:
    students = [another_student(cast, f"rival-{n}") for n in range(4)]
    handed_in = {hand_in(cast, who=student).attempt.pk for student in students for _ in range(6)}

    def claim_all(number: int) -> list[UUID]:
        """A worker with a connection of its own that claims until nothing is left."""
        mine = []
        holder = Holder(f"host/{number}", f"{number}" * 32, "local", unsafe=False)
        try:
            while (claimed := claim_next(cast, holder=holder)) is not None:
                mine.append(claimed.attempt.pk)
        finally:
            connection.close()
        return mine

    with ThreadPoolExecutor(6) as workers:
        claimed = [pk for mine in workers.map(claim_all, range(6)) for pk in mine]
    assert Counter(claimed) == Counter(handed_in)
    assert set(Attempt.objects.values_list("claims", flat=True)) == {1}


def test_the_queue_is_read_quickly_with_a_thousand_waiting(
    cast: Cast, django_assert_max_num_queries
) -> None:
    submission = hand_in(cast).submission
    Attempt.objects.bulk_create(
        Attempt(submission=submission, number=n, queued_at=NOW, lab_hash=submission.lab_hash)
        for n in range(2, 1001)
    )
    with django_assert_max_num_queries(3):
        assert claim_next(cast) is not None
