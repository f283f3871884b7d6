"""What is asked of students, what it weighs, and from when until when."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from campus.courses.models import Course


class GradingComponent(models.Model):
    """A line of the course page's grading, e.g. 4 homeworks of 5 % each."""

    class Kind(models.TextChoices):
        HOMEWORK = "homework"
        EXAM = "exam"
        OTHER = "other"

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="grading")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    title = models.CharField(max_length=120)
    count = models.PositiveSmallIntegerField(default=1)
    weight_percent = models.DecimalField(max_digits=6, decimal_places=3)  # of all together

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["course", "title"], name="grading_title_once"),
            models.CheckConstraint(
                condition=Q(weight_percent__gte=0, weight_percent__lte=100),
                name="grading_weight_is_a_percentage",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Assignment(models.Model):
    """Something to hand in. A lab names its folder; a homework of the course page may have none yet."""

    class Kind(models.TextChoices):
        LAB = "lab"
        HOMEWORK = "homework"
        EXAM = "exam"

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="assignments")
    slug = models.SlugField()
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    lab = models.SlugField(blank=True)  # a folder of labs.catalog
    component = models.ForeignKey(
        GradingComponent,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="assignments",
    )
    position = models.PositiveSmallIntegerField(default=0)
    release_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    cut_off_at = models.DateTimeField(null=True, blank=True)
    page_key = models.CharField(max_length=60, blank=True)  # its name on the course page: homework4
    page_marked_released = models.BooleanField(default=False)  # the page's own tick
    published = models.BooleanField(default=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["position", "slug"]
        constraints = [
            models.UniqueConstraint(fields=["course", "slug"], name="assignment_slug_once"),
            models.UniqueConstraint(
                fields=["course", "page_key"],
                condition=~Q(page_key=""),
                name="assignment_page_key_once",
            ),
            models.CheckConstraint(
                condition=Q(release_at__isnull=True)
                | Q(due_at__isnull=True)
                | Q(release_at__lt=F("due_at")),
                name="assignment_release_before_due",
            ),
            models.CheckConstraint(
                condition=Q(due_at__isnull=True)
                | Q(cut_off_at__isnull=True)
                | Q(cut_off_at__gte=F("due_at")),
                name="assignment_cut_off_not_before_due",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def is_released(self, now: datetime) -> bool:
        """Released by the clock alone: no job has to run. Without a date it is not decided yet."""
        return self.published and self.release_at is not None and self.release_at <= now

    def is_late(self, at: datetime) -> bool:
        return self.due_at is not None and at > self.due_at

    def accepts(self, at: datetime) -> bool:
        """Whether something may be handed in at this moment."""
        return self.is_released(at) and (self.cut_off_at is None or at <= self.cut_off_at)


class AssignmentPart(models.Model):
    """Exercises of one lab that count for an assignment, and what they are worth in it together."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="parts")
    position = models.PositiveSmallIntegerField()
    lab = models.SlugField()  # a folder of labs.catalog
    exercises = models.JSONField()  # ids, in the order of the lab
    points = models.DecimalField(max_digits=8, decimal_places=3)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["assignment", "position"], name="part_position_once"),
            models.CheckConstraint(condition=Q(points__gt=0), name="part_is_worth_something"),
        ]
        indexes = [models.Index(fields=["lab"], name="part_by_lab")]

    def __str__(self) -> str:
        return f"{self.lab} in {self.assignment_id}"
