"""Courses, who teaches them and who takes part."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models


class Role(models.TextChoices):
    """What somebody is in one course."""

    STUDENT = "student"
    ASSISTANT = "assistant"
    INSTRUCTOR = "instructor"


STAFF_ROLES = (Role.ASSISTANT, Role.INSTRUCTOR)


class Course(models.Model):
    """One course in one term. All its dates are meant in `time_zone`."""

    slug = models.SlugField(unique=True)
    code = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=200)
    year = models.PositiveSmallIntegerField()
    time_zone = models.CharField(max_length=64)
    overview = models.TextField(blank=True)  # Markdown
    published = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-year", "slug"]

    def __str__(self) -> str:
        return self.title

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class TeachingTeamMember(models.Model):
    """A name on the course page; it needs no account."""

    class Part(models.TextChoices):
        LECTURER = "lecturer"
        ASSISTANT = "assistant"

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="team")
    name = models.CharField(max_length=150)
    part = models.CharField(max_length=20, choices=Part.choices)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["-part", "position"]  # lecturers first
        constraints = [
            models.UniqueConstraint(fields=["course", "part", "name"], name="team_member_once")
        ]

    def __str__(self) -> str:
        return self.name


class Enrolment(models.Model):
    """A person's place in a course, with a role and perhaps a section."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="enrolments")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrolments"
    )
    role = models.CharField(max_length=20, choices=Role.choices)
    section = models.CharField(max_length=40, blank=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["user__username"]
        constraints = [
            models.UniqueConstraint(fields=["course", "user"], name="enrolled_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="enrolment_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF_ROLES
