"""Makes the database ready in one process: migrations, the course, the demonstration's people.

Every part is idempotent, so running it again does no harm. Three separate `manage.py` commands would
each pay for starting Django.
"""

import io
import os
import sys

from tools.checkout import ROOT

COURSE = "comp4901y-2025"
COURSE_PAGE = ROOT / "course" / f"{COURSE}.md"

LONGEST_REPORT = 12  # lines; the first import changes everything, which is not worth reading


def main() -> None:
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    os.environ["DJANGO_SETTINGS_MODULE"] = "campus.settings.local"
    import django
    from django.core.management import CommandError

    django.setup()
    try:
        _prepare()
    except CommandError as error:
        sys.exit(str(error))


def _prepare() -> None:
    from django.core.management import call_command

    _say("migrations")
    call_command("migrate", verbosity=0)
    _say("course")
    report = io.StringIO()
    call_command(
        "import_course",
        str(COURSE_PAGE),
        stdout=report,
        course=COURSE,
        year=2025,
        timezone="Asia/Hong_Kong",
        choose=["homework4.due=2025-04-30"],  # the page says 04/31, a day that April does not have
    )
    lines = report.getvalue().splitlines()
    print("\n".join(lines if len(lines) <= LONGEST_REPORT else lines[-1:]))
    _say("people and assignments")
    call_command("setup_demo")


def _say(what: str) -> None:
    print(f"> {what}", flush=True)


if __name__ == "__main__":
    main()
