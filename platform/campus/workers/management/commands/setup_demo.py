"""`manage.py setup_demo`: people to sign in as, labs to do, and a token for this machine's worker."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from campus.courses.models import Course
from campus.workers import demo
from labs.catalog import LabError


class Command(BaseCommand):
    help = "Create what is missing of the demonstration; run again it changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--course", default="comp4901y-2025", help="the course's slug")

    def handle(self, *args: Any, course: str, **options: Any) -> None:
        found = Course.objects.filter(slug=course).first()
        if found is None:
            raise CommandError(
                f"There is no course {course} yet. Import it first: manage.py import_course FILE "
                f"--course {course} --year YEAR --timezone ZONE"
            )
        try:
            assignments = demo.publish_labs(found)
            homeworks = demo.compose_homeworks(found)
        except LabError as error:
            raise CommandError(str(error)) from error
        for assignment in assignments:
            self.stdout.write(f"Lab published: {assignment}")
        for homework in homeworks:
            self.stdout.write(f"Homework made of lab exercises: {homework}")
        accounts = demo.create_accounts(found)
        if accounts:
            path = settings.HOME / "demo-accounts.txt"
            demo.remember_passwords(path, accounts)
            self.stdout.write(f"Demonstration accounts (kept in {path}, readable by you alone):")
            for account in accounts:
                self.stdout.write(f"  {account.username:<12}{account.password}  {account.role}")
        demo.local_worker_token(settings.HOME / "worker-token")
