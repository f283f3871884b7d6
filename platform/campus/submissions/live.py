"""An attempt as its watchers see it, and the events that tell them what is new.

Events carry growing ids that are derived from the rows (a result's key times 1000; what follows a result
counts on from there), so any process can continue a stream after `Last-Event-ID` and no event is stored.
Results of a lost lease are deleted and come again under higher ids.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from campus.submissions.feedback import visible_result
from campus.submissions.models import Attempt, CheckResult
from campus.submissions.waiting import place_of
from campus.ui.timeline import drawing_of

IDS_PER_RESULT = 1000
ENDED = (Attempt.State.DONE, Attempt.State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything to show about an attempt at one moment, filtered for its reader."""

    state: dict[str, Any]
    results: tuple[tuple[int, dict[str, Any]], ...]  # (row key, CheckResult) in order of arrival
    score: dict[str, Any] | None
    ended: bool

    def as_json(self) -> dict[str, Any]:
        """The same data for those who poll."""
        return {
            "state": self.state,
            "results": [result for _, result in self.results],
            "score": self.score,
            "ended": self.ended,
        }


def read_snapshot(attempt_id: UUID, *, staff: bool, now: datetime, after_key: int = 0) -> Snapshot:
    """The attempt with the results whose row key is greater than `after_key`."""
    # The attempt first: results that arrive between the two reads are only news, never missing.
    attempt = (
        Attempt.objects.select_related("submission")
        .defer("report", "submission__notebook")  # may be megabytes, and nobody looks at them here
        .get(pk=attempt_id)
    )
    rows = CheckResult.objects.filter(attempt=attempt_id).order_by("pk")
    graded = attempt.outcome == Attempt.Outcome.GRADED
    return Snapshot(
        state=_state(attempt, now),
        results=tuple(
            (row.pk, _drawn(visible_result(row.detail, staff=staff)))
            for row in rows.filter(pk__gt=after_key)
        ),
        score={
            "score": str(attempt.score),
            "max_score": str(attempt.max_score),
            "verdict_counts": dict(Counter(rows.values_list("verdict", flat=True))),
        }
        if graded
        else None,
        ended=attempt.state in ENDED,
    )


def _drawn(result: dict[str, Any]) -> dict[str, Any]:
    """The result with the drawing of its rank × time record in the record's place."""
    drawing = drawing_of(result)
    return {**result, "timeline": [], "drawing": drawing.as_json()} if drawing else result


def _state(attempt: Attempt, now: datetime) -> dict[str, Any]:
    place = place_of(attempt, now)
    return {
        "attempt": str(attempt.pk),
        "state": attempt.state,
        "position": place.position,
        "eta_seconds": place.eta_seconds and list(place.eta_seconds),
        "wall": attempt.wall,
        "unsafe": attempt.unsafe,
        "outcome": attempt.outcome,
        "reference_number": attempt.reference_number if attempt.state in ENDED else "",
    }


class EventWriter:
    """Turns snapshots into the events that a watcher has not had yet."""

    def __init__(self, last_event_id: int = 0) -> None:
        self.last_id = last_event_id
        self._state: dict[str, Any] | None = None

    @property
    def after_key(self) -> int:
        """Results up to this row key have been sent."""
        return self.last_id // IDS_PER_RESULT

    def events(self, snapshot: Snapshot) -> Iterator[str]:
        """Server-sent events, the end included."""
        # A range that shrinks as time passes is no news by itself.
        state = {**snapshot.state, "eta_seconds": None}
        if state != self._state and not snapshot.ended:  # the last one comes after the verdicts
            self._state = state
            yield self._following("state", snapshot.state)
        for key, result in snapshot.results:
            self.last_id = key * IDS_PER_RESULT
            yield _event("result", result, self.last_id)
        if snapshot.ended:
            yield self._following("state", snapshot.state)
            if snapshot.score is not None:
                yield self._following("score", snapshot.score)
            yield self._following("end", {})

    def _following(self, name: str, data: dict[str, Any]) -> str:
        if (self.last_id + 1) // IDS_PER_RESULT == self.after_key:
            self.last_id += 1
        return _event(name, data, self.last_id)


def _event(name: str, data: dict[str, Any], event_id: int) -> str:
    return f"id: {event_id}\nevent: {name}\ndata: {json.dumps(data)}\n\n"
