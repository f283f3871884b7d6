"""Filters and small pieces of the staff pages."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from itertools import groupby

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from campus.assignments.models import Assignment
from campus.gradebook.overview import lab_of
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

VERDICT_SENTENCES = {
    "failed": "The answer is not the reference's.",
    "error": "The student's code raised an exception.",
    "timed_out": "No answer came within the check's time limit.",
    "out_of_memory": "The student's code used more memory than it may.",
    "output_limit": "The student's code wrote more than it may.",
    "rejected": "What the student's process sent was no valid answer, so it was not read.",
    "not_reached": "The notebook or an earlier check ended before this one was asked.",
    "internal_error": "The grader failed here. This is our fault and counts for nothing.",
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
def staff_sentence(verdict: str) -> str:
    """What a verdict means, said to staff, for a result that brings no message of its own."""
    return VERDICT_SENTENCES.get(str(verdict), "")


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
    """A row of checks, a group an exercise: one picture whose words are the numbers of those passed.

    A page has thousands of them, so each different one is written once.
    """
    groups = [(exercise, list(found)) for exercise, found in groupby(row, lambda pip: pip.exercise)]
    words = ", ".join(
        f"{exercise} {sum(pip.verdict == 'passed' for pip in found)} of {len(found)}"
        for exercise, found in groups
    )
    pictures = (
        "".join(_pip(pip.exercise, pip.title, pip.verdict) for pip in found) for _, found in groups
    )
    return format_html(
        '<span class="pips" role="img" aria-label="Passed: {}">{}</span>',
        words,
        mark_safe("".join(f'<span class="pips__group">{group}</span>' for group in pictures)),  # noqa: S308 - _pip escapes
    )


@register.simple_tag
def pips_heading(row: Sequence[Pip]) -> SafeString:
    """The exercises' names, each above its group of pips."""
    return format_html(
        '<span class="pips" aria-hidden="true">{}</span>',
        format_html_join(
            "",
            '<span class="pips__group"><b>{}</b>{}</span>',
            (
                (exercise, mark_safe("<i></i>" * len(list(found))))  # noqa: S308 - a constant
                for exercise, found in groupby(row, lambda pip: pip.exercise)
            ),
        ),
    )


@lru_cache(maxsize=4096)
def _pip(exercise: str, title: str, verdict: str) -> SafeString:
    return format_html(
        '<i data-verdict="{}" title="{} {}: {}"></i>',
        verdict,
        exercise,
        title,
        verdict_word(verdict),
    )


@register.filter
def judges_itself(assignment: Assignment) -> bool:
    """Whether its lab is a classic notebook, whose own asserts give the points."""
    lab = lab_of(assignment)
    return lab is not None and lab.kind == "classic"
