"""The ledger of scores: append-only, every change with who, when, why, from and to."""

from django.conf import settings
from django.db import models

from campus.assignments.models import Assignment
from campus.courses.models import Enrolment
from campus.submissions.models import Attempt


class ScoreEntry(models.Model):
    """One change of one student's score in one assignment."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="score_entries")
    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, related_name="score_entries"
    )
    attempt = models.ForeignKey(
        Attempt, on_delete=models.PROTECT, null=True, blank=True, related_name="score_entries"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )  # empty: the grader
    reason = models.CharField(max_length=300)
    score_before = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    score_after = models.DecimalField(max_digits=8, decimal_places=3)
    max_score = models.DecimalField(max_digits=8, decimal_places=3)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            # The database itself refuses to score an attempt twice. It scores its lab, and each
            # homework that the lab is a part of.
            models.UniqueConstraint(fields=["attempt", "assignment"], name="attempt_scored_once"),
        ]
        indexes = [
            models.Index(fields=["assignment", "enrolment", "-created_at"], name="score_latest")
        ]

    def __str__(self) -> str:
        return f"{self.score_after}/{self.max_score}"
