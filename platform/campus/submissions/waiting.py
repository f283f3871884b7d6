"""Where an attempt stands in the queue and how long it may take, as far as that can honestly be said."""

import math
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from statistics import quantiles
from uuid import UUID

from campus.submissions.models import Attempt
from campus.submissions.querysets import RECENTLY

SAMPLES = 60  # recent attempts whose durations tell what the next will take
FEWEST_SAMPLES = 5
# Hundreds of watchers ask; what is the same for all of them is read once.
ORDER_IS_FRESH_SECONDS = 1.0
USUAL_IS_FRESH_SECONDS = 10.0

Eta = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """`position` counts from 1; `eta_seconds` is a range (a quarter of cases are faster than its lower
    end, a tenth slower than its upper one), or None while nothing is known."""

    position: int | None
    eta_seconds: Eta | None


_orders: dict[str, tuple[float, dict[UUID, int]]] = {}
_usual: dict[int, tuple[float, Eta | None]] = {}


def place_of(attempt: Attempt, now: datetime) -> Place:
    """Place and waiting time of a queued attempt, remaining time of a running one."""
    if attempt.state == Attempt.State.RUNNING and attempt.claimed_at is not None:
        usual = usual_seconds(attempt.submission.assignment_id)
        spent = (now - attempt.claimed_at).total_seconds()
        eta = usual and (_tidy(max(0.0, usual[0] - spent)), _tidy(max(0.0, usual[1] - spent)))
        return Place(None, eta)
    if attempt.state != Attempt.State.QUEUED:
        return Place(None, None)
    position = _order(attempt.capability, now).get(attempt.pk)
    if position is None:  # queued since the order was read
        position = Attempt.objects.queued().filter(capability=attempt.capability).count()
    position = max(position, 1)
    usual = usual_seconds(attempt.submission.assignment_id)
    slots = (
        Attempt.objects.running()
        .filter(capability=attempt.capability, leased_until__gte=now)
        .count()
    )
    if usual is None or not slots:  # nobody is grading: any number would be made up
        return Place(position, None)
    rounds = math.ceil(position / slots)
    return Place(position, (_tidy(rounds * usual[0]), _tidy((rounds + 1) * usual[1])))


def usual_seconds(assignment_id: int) -> Eta | None:
    """Lower quartile and ninth decile of what grading this assignment took lately."""
    read_at, usual = _usual.get(assignment_id, (-math.inf, None))
    if time.monotonic() - read_at > USUAL_IS_FRESH_SECONDS:
        usual = _read_usual_seconds(assignment_id)
        _usual[assignment_id] = (time.monotonic(), usual)
    return usual


def _read_usual_seconds(assignment_id: int) -> Eta | None:
    spans = Attempt.objects.filter(
        submission__assignment=assignment_id,
        outcome=Attempt.Outcome.GRADED,
        claimed_at__isnull=False,
        finished_at__isnull=False,
    ).order_by("-finished_at")[:SAMPLES]
    seconds = [
        (finished - claimed).total_seconds()
        for claimed, finished in spans.values_list("claimed_at", "finished_at")
        if claimed and finished
    ]
    if len(seconds) < FEWEST_SAMPLES:
        return None
    cuts = quantiles(seconds, n=20, method="inclusive")
    return cuts[4], cuts[17]


def _order(capability: str, now: datetime) -> dict[UUID, int]:
    read_at, positions = _orders.get(capability, (-math.inf, {}))
    if time.monotonic() - read_at > ORDER_IS_FRESH_SECONDS:
        positions = _read_order(capability, now)
        _orders[capability] = (time.monotonic(), positions)
    return positions


def _read_order(capability: str, now: datetime) -> dict[UUID, int]:
    """Plays the claims forward: each claim of a student puts their next one a turn later."""
    user = "submission__enrolment__user"
    queued = (
        Attempt.objects.queued()
        .filter(capability=capability)
        .order_by("queued_at", "pk")
        .values_list("pk", user, "purpose", "queued_at")
    )
    recent = Attempt.objects.filter(claimed_at__gte=now - RECENTLY).values_list(user, flat=True)
    turns: dict[int, int] = defaultdict(int, Counter(recent))
    ranked = []
    for pk, student, purpose, queued_at in queued:
        ranked.append((purpose != Attempt.Purpose.INTERACTIVE, turns[student], queued_at, pk))
        turns[student] += 1
    return {entry[-1]: place for place, entry in enumerate(sorted(ranked), start=1)}


def _tidy(seconds: float) -> float:
    return round(seconds, 1)
