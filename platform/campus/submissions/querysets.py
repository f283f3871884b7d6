"""How submissions and attempts are chosen. The order in which attempts are graded stands here."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import (
    Case,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    from campus.assignments.models import Assignment
    from campus.courses.models import Course, Enrolment
    from campus.submissions.models import Attempt, Submission  # noqa: F401 (named in strings)

RECENTLY = timedelta(minutes=2)  # a claim counts this long against its student's next ones


class SubmissionQuerySet(QuerySet["Submission"]):
    """Submissions by course, assignment and owner."""

    def for_course(self, course: "Course") -> "SubmissionQuerySet":
        return self.filter(assignment__course=course)

    def of(self, enrolment: "Enrolment", assignment: "Assignment") -> "SubmissionQuerySet":
        """One person's submissions for one assignment, newest first."""
        return self.filter(enrolment=enrolment, assignment=assignment).order_by("-number")

    def latest_per_student(self) -> "SubmissionQuerySet":
        """Of each student and assignment only the newest."""
        newer = self.model._default_manager.filter(
            enrolment=OuterRef("enrolment"),
            assignment=OuterRef("assignment"),
            number__gt=OuterRef("number"),
        )
        return self.filter(~Exists(newer))


class AttemptQuerySet(QuerySet["Attempt"]):
    """Attempts by where they stand in the queue."""

    def queued(self) -> "AttemptQuerySet":
        return self.filter(state="queued")

    def running(self) -> "AttemptQuerySet":
        return self.filter(state="running")

    def with_expired_lease(self, now: datetime) -> "AttemptQuerySet":
        return self.running().filter(leased_until__lt=now)

    def held_by(self, name: str, boot: str) -> "AttemptQuerySet":
        """What one worker process is grading."""
        return self.running().filter(worker_name=name, worker_boot=boot)

    def in_order_of_claims(self, now: datetime) -> "AttemptQuerySet":
        """Queued attempts, the next to be graded first.

        Interactive before regrade; then who has the fewest attempts running or claimed in the last
        two minutes, so that one person's twenty tries do not delay another's first; then by time.
        """
        return (
            self.queued()
            .annotate(
                turn=Case(
                    When(purpose="interactive", then=Value(0)),
                    default=Value(1),
                    output_field=IntegerField(),
                ),
                busy=Coalesce(Subquery(self._busy_attempts_of_the_same_student(now)), 0),
            )
            .order_by("turn", "busy", "queued_at", "pk")
        )

    def claimable(
        self, *, labs: Iterable[str], capabilities: Iterable[str], now: datetime
    ) -> "AttemptQuerySet":
        """What a worker with these labs and capabilities can grade, in the order of claims."""
        return self.in_order_of_claims(now).filter(
            capability__in=list(capabilities), submission__assignment__lab__in=list(labs)
        )

    def _busy_attempts_of_the_same_student(self, now: datetime) -> QuerySet[Any, Any]:
        return (
            self.model._default_manager.filter(
                Q(state="running") | Q(claimed_at__gte=now - RECENTLY),
                submission__enrolment__user=OuterRef("submission__enrolment__user"),
            )
            .order_by()
            .values("submission__enrolment__user")
            .annotate(attempts=Count("pk"))
            .values("attempts")
        )
