"""Drafts, submissions, attempts and their check results. A submission row is the truth."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q

from campus.assignments.models import Assignment
from campus.courses.models import Enrolment
from campus.submissions.querysets import AttemptQuerySet, SubmissionQuerySet
from grader.api import Verdict


class Draft(models.Model):
    """A student's answers as they are being written; `revision` grows with every save."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="drafts")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="drafts")
    answers = models.JSONField(default=dict)  # cell id → source
    revision = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "assignment"], name="draft_once")
        ]

    def __str__(self) -> str:
        return f"draft {self.pk} r{self.revision}"


class Submission(models.Model):
    """What was handed in, byte for byte, and never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="submissions")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="submissions")
    number = models.PositiveIntegerField()  # 1, 2, … of this student for this assignment
    sha256 = models.CharField(max_length=64)  # of the notebook's bytes
    lab_hash = models.CharField(max_length=64)
    idempotency_key = models.CharField(max_length=64)
    submitted_at = models.DateTimeField()
    # Last: SQLite reads a row from its beginning to the column that is asked for.
    notebook = models.TextField()  # canonical .ipynb

    objects = models.Manager.from_queryset(SubmissionQuerySet)()

    class Meta:
        ordering = ["-submitted_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "assignment", "number"], name="submission_number_once"
            ),
            models.UniqueConstraint(
                fields=["enrolment", "assignment", "idempotency_key"], name="submission_sent_once"
            ),
        ]
        indexes = [models.Index(fields=["assignment", "-submitted_at"], name="submission_by_time")]

    def __str__(self) -> str:
        return f"submission {self.number} of {self.enrolment_id}"


class Attempt(models.Model):
    """One grading of one submission. A regrade is a new attempt."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"

    class Purpose(models.TextChoices):
        INTERACTIVE = "interactive"
        REGRADE = "regrade"

    class Outcome(models.TextChoices):
        GRADED = "graded"
        INTERNAL_ERROR = "internal_error"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField(default=1)
    purpose = models.CharField(max_length=20, choices=Purpose.choices, default=Purpose.INTERACTIVE)
    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, blank=True)  # once done
    capability = models.CharField(max_length=10, default="cpu")
    lab_hash = models.CharField(max_length=64)  # the version that grades; set anew by each claim
    queued_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    nudged_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.CharField(max_length=128, blank=True)  # sha256 of the worker's token
    leased_until = models.DateTimeField(null=True, blank=True)
    worker_name = models.CharField(max_length=100, blank=True)
    worker_boot = models.CharField(max_length=64, blank=True)
    claims = models.PositiveSmallIntegerField(default=0)
    internal_errors = models.PositiveSmallIntegerField(default=0)
    score = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    max_score = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    wall = models.CharField(max_length=40, blank=True)
    unsafe = models.BooleanField(default=False)
    failure = models.TextField(blank=True)
    reference_number = models.CharField(max_length=40, blank=True)
    report = models.JSONField(null=True, blank=True)  # the report without its results

    objects = models.Manager.from_queryset(AttemptQuerySet)()

    class Meta:
        ordering = ["submission", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["submission", "number"], name="attempt_number_once"),
            models.CheckConstraint(
                condition=~Q(state="running")
                | (Q(leased_until__isnull=False) & ~Q(lease_token="")),
                name="running_attempt_has_a_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | ~Q(outcome=""), name="done_attempt_has_an_outcome"
            ),
            models.CheckConstraint(
                condition=~Q(outcome="graded")
                | Q(score__isnull=False, max_score__isnull=False, score__gte=0),
                name="graded_attempt_has_a_score",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "queued_at"], name="attempt_queue"),
            models.Index(fields=["claimed_at"], name="attempt_recently_claimed"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.submission_id} ({self.state})"

    @property
    def graded_by_notebook(self) -> bool:
        """Whether the notebook's own asserts gave the points, so that it could have given itself any."""
        return isinstance(self.report, dict) and self.report.get("graded_by") == "notebook"

    @property
    def waiting_for_a_human(self) -> list[dict[str, object]]:
        """The cells that a human grades, as the worker listed them: cell, title, max_points, answered."""
        listed = self.report.get("manual") if isinstance(self.report, dict) else None
        return [item for item in listed or () if isinstance(item, dict)]

    def lease_expired(self, now: datetime) -> bool:
        return self.leased_until is not None and self.leased_until < now


class CheckResult(models.Model):
    """What one check found in one attempt. `detail` is the protocol's message as it came."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="results")
    check_name = models.CharField(max_length=100)
    exercise = models.CharField(max_length=20)
    position = models.PositiveSmallIntegerField()
    verdict = models.CharField(max_length=20, choices=[(v.value, v.value) for v in Verdict])
    points = models.DecimalField(max_digits=8, decimal_places=3)
    max_points = models.DecimalField(max_digits=8, decimal_places=3)
    hidden = models.BooleanField(default=False)
    received_at = models.DateTimeField()
    detail = models.JSONField()

    class Meta:
        ordering = ["attempt", "position"]
        constraints = [
            models.UniqueConstraint(fields=["attempt", "check_name"], name="check_result_once"),
            models.CheckConstraint(
                condition=Q(points__gte=0) & Q(points__lte=models.F("max_points")),
                name="check_points_within_bounds",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.check_name}: {self.verdict}"
