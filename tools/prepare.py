"""Makes the database ready in one process: migrations, the course, the demonstration's people.

Every part is idempotent, so running it again does no harm. Three separate `manage.py` commands would
each pay for starting Django.
"""

import os
import sys

from tools.checkout import ROOT

COURSE = "comp4901y-2025"
COURSE_PAGE = ROOT / "course" / f"{COURSE}.md"


def main() -> None:
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campus.settings.local")
    import django
    from django.core.management import call_command

    django.setup()
    _say("migrations")
    call_command("migrate", verbosity=0)
    _say("course")
    call_command(
        "import_course",
        str(COURSE_PAGE),
        course=COURSE,
        year=2025,
        timezone="Asia/Hong_Kong",
        choose=["homework4.due=2025-04-30"],  # the page says 04/31, a day that April does not have
    )
    _say("people and assignments")
    call_command("setup_demo")


def _say(what: str) -> None:
    print(f"> {what}", flush=True)


if __name__ == "__main__":
    main()
