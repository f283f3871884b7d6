"""People. What they may do in a course stands in courses.Enrolment."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person who can sign in; `name` is what others read."""

    name = models.CharField(max_length=150, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)  # IANA name; empty: the browser's

    class Meta:
        db_table = "accounts_user"

    def __str__(self) -> str:
        return self.name or self.username
