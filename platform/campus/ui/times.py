"""Times as words, for readers without scripts; frontend/src/site/times.ts says the same."""

from datetime import datetime

STEPS = (
    ("year", 365 * 24 * 3600),
    ("month", 30 * 24 * 3600),
    ("week", 7 * 24 * 3600),
    ("day", 24 * 3600),
    ("hour", 3600),
    ("minute", 60),
    ("second", 1),
)
JUST_NOW_SECONDS = 10


def relative_time(then: datetime, now: datetime) -> str:
    """'in 3 hours', '2 days ago', 'just now'; never promises more time than there is."""
    seconds = (then - now).total_seconds()
    if abs(seconds) < JUST_NOW_SECONDS:
        return "just now"
    unit, size = next((unit, size) for unit, size in STEPS if abs(seconds) >= size)
    amount = int(abs(seconds) // size)
    words = f"{amount} {unit}{'' if amount == 1 else 's'}"
    return f"in {words}" if seconds > 0 else f"{words} ago"


def course_time(local: datetime) -> str:
    """'Sat 22 Feb 2025, 23:59 HKT': a time that already is in the zone to be shown."""
    zone = local.tzname() or ""
    if zone[:1] in "+-":  # zones without letters of their own, e.g. +03
        zone = f"UTC{zone}"
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M} {zone}"
