"""manage.py import_course: a course from its page, or every reason why not."""

import re
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug

from campus.accounts.models import User
from campus.schedule.apply import Order, Outcome, import_page
from campus.schedule.page.links import why_refused
from campus.schedule.page.source import LARGEST_PAGE_BYTES

PROBLEMS, USAGE = 1, 2
FIELD = re.compile(r"[A-Za-z0-9_.-]+")


class Command(BaseCommand):
    help = (
        "Read a course's page (Markdown) and make the course's schedule, grading and homeworks say the "
        "same. Every problem of the page is reported at once, and then nothing is written. Exit code: "
        "0 done or nothing to do, 1 the page has problems, 2 the command was called wrongly."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the page, in Markdown; - reads it from standard input")
        parser.add_argument("--course", required=True, metavar="SLUG", help="e.g. comp4901y-2025")
        parser.add_argument("--year", required=True, type=int, help="in which the course begins")
        parser.add_argument("--timezone", required=True, metavar="ZONE", help="e.g. Asia/Hong_Kong")
        parser.add_argument(
            "--choose",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help="answer a problem that was reported, e.g. homework4.due=2025-04-30; may be repeated",
        )
        parser.add_argument("--title", default="", help="for a page that has no title")
        parser.add_argument(
            "--links-base",
            default="",
            metavar="URL",
            help="where relative links of the page lead, e.g. https://github.com/org/repo/blob/main/",
        )
        parser.add_argument("--author", default="", metavar="USERNAME", help="kept with the import")
        parser.add_argument(
            "--draft", action="store_true", help="a new course is not published until somebody does"
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        order = Order(
            source=read_source(options["file"]),
            course=read_slug(options["course"]),
            year=read_year(options["year"]),
            time_zone=read_zone(options["timezone"]),
            choices=read_choices(options["choose"]),
            title=options["title"].strip()[:200],
            links_base=read_links_base(options["links_base"]),
            publish=not options["draft"],
            author=read_author(options["author"]),
        )
        outcome = import_page(order, dry_run=options["dry_run"])
        name = "standard input" if options["file"] == "-" else Path(options["file"]).name
        if outcome.is_refused:
            self.refuse(name, outcome)
        if options["verbosity"] == 0:
            return
        self.report(name, outcome, dry_run=options["dry_run"])

    def refuse(self, name: str, outcome: Outcome) -> None:
        """Print every problem and leave with the code that says whose turn it is."""
        lines = [f"{name} cannot be imported as it stands."]
        for problem in outcome.problems:
            lines.append(f"{name}:{problem.place}: {problem.field}: {problem}")
            if problem.choosable and problem.proposal:
                lines.append(f"    take it: --choose {shell(problem.field, problem.proposal)}")
        for choice in outcome.unused_choices:
            known = ", ".join(outcome.choosable_fields) or "none"
            lines.append(
                f"--choose {choice}: no problem of this page asks for it; "
                f"fields that can be chosen here: {known}"
            )
        count = len(outcome.problems)
        lines.append(f"{count} problem{'' if count == 1 else 's'}; nothing was written.")
        raise CommandError("\n".join(lines), returncode=PROBLEMS if outcome.problems else USAGE)

    def report(self, name: str, outcome: Outcome, *, dry_run: bool) -> None:
        for note in outcome.notes:
            self.stdout.write(f"note: {name}:{note.line}: {note.field}: {note}")
        for field, value in outcome.answered.items():
            self.stdout.write(f"chosen: {field} = {value}")
        for change in outcome.changes:
            self.stdout.write(str(change))
        count = len(outcome.changes)
        if not count:
            self.stdout.write("nothing to change")
        else:
            verb = "would be made; nothing was written" if dry_run else "made"
            self.stdout.write(f"{count} change{'' if count == 1 else 's'} {verb}.")


def usage(message: str) -> CommandError:
    return CommandError(message, returncode=USAGE)


def shell(field: str, value: str) -> str:
    """field=value, quoted where a shell would take it apart."""
    pair = f"{field}={value}"
    return pair if re.fullmatch(r"[\w.,=/:+-]+", pair) else "'" + pair.replace("'", "'\\''") + "'"


def read_source(path: str) -> bytes:
    """The file's bytes, one more than allowed at most, so that a large one is never all read."""
    limit = LARGEST_PAGE_BYTES + 1
    try:
        if path == "-":
            return sys.stdin.buffer.read(limit)
        with Path(path).open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise usage(f"{path} cannot be read: {error.strerror}.") from error


def read_slug(value: str) -> str:
    try:
        validate_slug(value)
    except Exception as error:
        raise usage(f"--course {value}: write letters, digits and hyphens only.") from error
    if len(value) > 50:
        raise usage("--course: at most 50 characters.")
    return value


def read_year(value: int) -> int:
    if not 1990 <= value <= 2100:
        raise usage(f"--year {value}: no course begins in this year.")
    return value


def read_zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise usage(f"--timezone {value}: write a name such as Asia/Hong_Kong.") from error


def read_choices(values: list[str]) -> dict[str, str]:
    choices: dict[str, str] = {}
    for value in values:
        field, sign, chosen = value.partition("=")
        field = field.strip()
        if not sign or not chosen.strip() or not FIELD.fullmatch(field):
            raise usage(f"--choose {value}: write FIELD=VALUE, e.g. homework4.due=2025-04-30.")
        if choices.get(field, chosen.strip()) != chosen.strip():
            raise usage(f"--choose {field}: chosen twice, differently.")
        choices[field] = chosen.strip()
    return choices


def read_links_base(value: str) -> str:
    if value and (why_refused(value) or not value.startswith(("https://", "http://"))):
        raise usage(f"--links-base {value}: write an address such as https://example.org/course/.")
    return value


def read_author(username: str) -> User | None:
    if not username:
        return None
    author = User.objects.filter(username=username).first()
    if author is None:
        raise usage(f"--author {username}: there is nobody of this name.")
    return author
