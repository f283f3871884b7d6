"""Filters and small pieces of the staff pages."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from campus.gradebook.table import STANDING_WORDS, Pip, Standing
from campus.ui.templatetags.campus_ui import icon, verdict_word

STANDING_STATES = {
    Standing.MISSING: "none",
    Standing.WAITING: "queued",
    Standing.RUNNING: "running",
    Standing.GRADED: "done",
    Standing.INTERNAL_ERROR: "internal_error",
    Standing.CANCELLED: "cancelled",
}

register = template.Library()

# Control characters that a terminal or a reader's eye would obey: drawn as signs instead.
CONTROL_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {
    0x7F: 0x2421
}
# Invisible or reordering characters, with which code can be made to look like other code.
NAMED = {
    code: f"⟦U+{code:04X}⟧"
    for code in (
        0x00AD,
        0x061C,
        *range(0x80, 0xA0),
        *range(0x200B, 0x2010),
        0x2028,
        0x2029,
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        0xFEFF,
    )
}
VISIBLE: dict[int, int | str] = {**CONTROL_PICTURES, **NAMED}


@register.filter
def visible(text: object) -> str:
    """The text with every control, reordering or invisible character drawn as what it is."""
    return str(text).replace("\r\n", "\n").translate(VISIBLE)


@register.filter
def seconds(value: float | None) -> str:
    """'12 ms', '0.84 s', '75 s': as exact as a reader needs."""
    if value is None:
        return "–"
    if value < 0.0995:
        return f"{value * 1000:.0f} ms"
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


@register.filter
def seconds_until(start: datetime | None, end: datetime | None) -> str:
    """How long it took from one moment to another; a dash while one of them is missing."""
    return seconds((end - start).total_seconds() if start and end else None)


@register.filter
def score(value: Decimal | None) -> str:
    """Points without trailing zeros; a dash where there is no score."""
    if value is None:
        return "–"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.simple_tag
def standing(value: Standing | str) -> SafeString:
    """What became of a student's newest submission, as icon, word and colour."""
    state = STANDING_STATES.get(Standing(value), "none")
    words = STANDING_WORDS[Standing(value)].capitalize()
    return format_html(
        '<span class="badge" data-verdict="{}">{}{}</span>', state, icon(state), words
    )


@register.simple_tag
def pips(row: Sequence[Pip]) -> SafeString:
    """A row of checks. A page has a thousand of them, so each different one is written once."""
    return format_html(
        '<ul class="checks" role="list" aria-label="Checks">{}</ul>',
        mark_safe("".join(_pip(pip.title, pip.verdict) for pip in row)),  # noqa: S308 - by format_html
    )


@lru_cache(maxsize=4096)
def _pip(title: str, verdict: str) -> SafeString:
    words = f"{title}: {verdict_word(verdict)}"
    return format_html(
        '<li class="checks__one" data-verdict="{}" title="{}">{}<span class="unseen">{}</span></li>',
        verdict,
        words,
        icon(verdict),
        words,
    )
