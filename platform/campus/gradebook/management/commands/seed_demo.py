"""manage.py seed_demo: made-up students and submissions, for looking at the pages."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campus.courses.models import Course
from campus.gradebook.demo.errors import SeedError
from campus.gradebook.demo.seed import remove, seed

DEFAULT_COURSE = "comp4901y-2025"


class Command(BaseCommand):
    help = (
        "Fill a course with made-up students (student001 …, who cannot sign in) and their submissions. "
        "A second run changes nothing; --remove takes away exactly what was made."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--course", default=DEFAULT_COURSE, metavar="SLUG")
        parser.add_argument("--students", type=int, default=30, metavar="N")
        parser.add_argument("--seed", type=int, default=1, metavar="N", help="another cast")
        parser.add_argument("--remove", action="store_true", help="take the made-up students away")
        parser.add_argument("--force", action="store_true", help="also on a production site")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.SETTINGS_MODULE.endswith(".production") and not options["force"]:
            raise CommandError(
                "This is a production site: made-up students would stand among the real ones. "
                "If that is what you want, add --force."
            )
        if not 1 <= options["students"] <= 5000:
            raise CommandError("--students must lie between 1 and 5000.")
        course = Course.objects.filter(slug=options["course"]).first()
        if course is None:
            raise CommandError(
                f"There is no course {options['course']!r}; import it first: manage.py import_course FILE "
                f"--course {options['course']} …"
            )
        try:
            if options["remove"]:
                counts = remove(course=course)
            else:
                counts = seed(
                    course=course,
                    students=options["students"],
                    seed_number=options["seed"],
                    now=timezone.now(),
                )
        except SeedError as error:
            raise CommandError(str(error)) from error
        found = ", ".join(f"{count} {name}" for name, count in asdict(counts).items() if count)
        done = "Removed" if options["remove"] else "Made"
        self.stdout.write(f"{done} {found}." if found else "Nothing to do: it is as asked already.")
