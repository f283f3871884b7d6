"""The syllabus as the course page has it: weeks, their meetings, and what was handed out."""

from django.conf import settings
from django.db import models

from campus.courses.models import Course


class Week(models.Model):
    """A numbered week of the course."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="weeks")
    number = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["course", "number"], name="week_once")]

    def __str__(self) -> str:
        return f"Week {self.number}"


class Meeting(models.Model):
    """One topic of one week: a lecture, a break, an exam, a review or a guest's talk."""

    class Kind(models.TextChoices):
        LECTURE = "lecture"
        BREAK = "break"
        EXAM = "exam"
        REVIEW = "review"
        GUEST = "guest"
        OTHER = "other"

    week = models.ForeignKey(Week, on_delete=models.CASCADE, related_name="meetings")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    date = models.DateField(null=True, blank=True)
    last_date = models.DateField(null=True, blank=True)  # when it spans more than one (a break)

    class Meta:
        ordering = ["week__number", "position"]
        constraints = [
            models.UniqueConstraint(fields=["week", "position"], name="meeting_position_once"),
            models.CheckConstraint(
                condition=models.Q(last_date__isnull=True)
                | models.Q(last_date__gte=models.F("date")),
                name="meeting_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Resource(models.Model):
    """Slides, a notebook or a link of a meeting; without a URL it is announced but not there yet."""

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="resources")
    position = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=80)  # Slides, Notebook, …
    url = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "position"], name="resource_position_once")
        ]

    def __str__(self) -> str:
        return self.label


class CourseImport(models.Model):
    """A course page that changed something: which text, which choices, what changed."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="imports")
    imported_at = models.DateTimeField(auto_now_add=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    sha256 = models.CharField(max_length=64)
    page = models.TextField()
    choices = models.JSONField(
        default=dict
    )  # field → value chosen where the page could not be right
    changes = models.JSONField(default=list)  # the diff, as it was printed

    class Meta:
        ordering = ["-imported_at"]

    def __str__(self) -> str:
        return f"{self.course_id} {self.imported_at:%Y-%m-%d %H:%M}"
