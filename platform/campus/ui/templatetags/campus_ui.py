"""The pages' building blocks. See campus/ui/components.md for how each looks in a template."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.template.context import Context
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from campus.ui.markdown import render_markdown
from campus.ui.timeline import Drawing, drawing_of
from campus.ui.times import course_time, relative_time

register = template.Library()

VERDICT_WORDS = {
    "passed": "Passed",
    "failed": "Failed",
    "error": "Error",
    "timed_out": "Out of time",
    "out_of_memory": "Out of memory",
    "output_limit": "Too much output",
    "rejected": "Rejected",
    "not_reached": "Not reached",
    "internal_error": "Our failure",
    "queued": "Waiting",
    "running": "Running",
    "done": "Graded",
    "cancelled": "Cancelled",
    "none": "Not tried",
}
VERDICT_SENTENCES = {
    "failed": "The answer differs from the reference's.",
    "error": "Your code raised an exception.",
    "timed_out": "Your code was stopped when the time for this check was up.",
    "out_of_memory": "Your code was stopped when the memory for this check was used up.",
    "output_limit": "Your code printed or returned more than this check may.",
    "rejected": "What came back was not an answer that this check accepts.",
    "not_reached": "Not tried, because the notebook or an earlier check has to work first.",
    "internal_error": "This is our failure, not yours. It does not count, and it is tried again.",
}
ICON_OF_STATE = {"done": "passed", "cancelled": "not_reached"}
MESSAGE_TONES = {"success": "good", "warning": "careful", "error": "bad"}
TONE_ICONS = {"good": "passed", "bad": "failed", "careful": "error", "ours": "internal_error"}


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of ui/icons.html; always next to a word, so it is hidden from screen readers."""
    name = ICON_OF_STATE.get(name, name)
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="#icon-{}"></use></svg>',
        name,
    )


@register.filter
def verdict_word(verdict: str) -> str:
    return VERDICT_WORDS.get(str(verdict), str(verdict).replace("_", " ").capitalize())


@register.filter
def verdict_sentence(verdict: str) -> str:
    """What a verdict means, for a result that brings no message of its own."""
    return VERDICT_SENTENCES.get(str(verdict), "")


@register.filter
def telling_message(result: Any) -> str:
    """The sentence to show above a result's details; empty when they say the same already."""
    message, difference, exception = (
        _field(result, name) for name in ("message", "difference", "exception")
    )
    if not message:
        return verdict_sentence(_field(result, "verdict") or "")
    sides = [_field(difference, "got"), _field(difference, "expected")] if difference else []
    if sides and all(side and side in message for side in sides):
        return ""
    if exception and message == f"{_field(exception, 'type')}: {_field(exception, 'text')}":
        return ""
    return str(message)


def _field(value: Any, name: str) -> Any:
    """A field of a message of the protocol, or of its JSON."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


@register.filter
def drawing(result: Any) -> Drawing | None:
    """The rank × time drawing of a check result; nothing if it has no record."""
    return drawing_of(result)


@register.filter
def inline_code(text: str) -> SafeString:
    """Text in which `names` in backticks are set as code, and nothing else is markup."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:
        return conditional_escape(text)
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<code>{}</code>", part) if at % 2 else part,)
            for at, part in enumerate(parts)
        ),
    )


@register.filter
def dedent(source: str) -> str:
    """One line of code without its indentation."""
    return source.lstrip()


@register.filter
def relative_error(value: float) -> str:
    """'0.5 %', '3.2e-09': readable at both ends."""
    if not math.isfinite(value):
        return str(value)
    return f"{value * 100:.3g} %" if 1e-4 <= abs(value) < 100 else f"{value:.2g}"


@register.filter
def message_tone(level_tag: str) -> str:
    return MESSAGE_TONES.get(level_tag, "info")


@register.filter
def tone_icon(tone: str) -> str:
    return TONE_ICONS.get(tone, "info")


@register.filter
def zone_name(zone: object) -> str:
    """'Asia/Hong Kong' for Asia/Hong_Kong."""
    return str(zone).replace("_", " ")


@register.filter
def points(value: object) -> str:
    """Points without trailing zeros: 15, 13.5."""
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def duration(minutes: int) -> str:
    """Minutes of work in words: 45 min, 2 h, 3 h 20 min."""
    hours, rest = divmod(int(minutes), 60)
    return " ".join(part for part in (hours and f"{hours} h", rest and f"{rest} min") if part)


@register.filter(name="markdown")
def markdown_filter(source: str | None) -> SafeString:
    """Markdown with maths as safe HTML; put it inside an element of class prose."""
    return render_markdown(source or "")


@register.simple_tag
def moment(
    value: datetime | None, zone: ZoneInfo | str | None = None, due: bool = False, form: str = ""
) -> SafeString:
    """A time in the course's zone that the browser turns into the reader's.

    `due=True` always names the zone and adds the relative form; `form="relative"` shows that alone.
    """
    if value is None:
        return format_html('<span class="quiet">{}</span>', "no date")
    now = timezone.now()
    zone = ZoneInfo(str(zone)) if zone else ZoneInfo("UTC")
    local = value.astimezone(zone)
    relative = relative_time(value, now)
    absolute = course_time(local)
    near = due and timedelta(0) < value - now < timedelta(days=1)
    return format_html(
        '<time class="{}" datetime="{}" data-moment data-zone="{}"{}{}{} title="{}">'
        "<span data-shown>{}</span>{}</time>",
        "due" if due else "moment",
        local.isoformat(timespec="seconds"),
        str(zone),
        SafeString(" data-due" if due else ""),
        SafeString(" data-near" if near else ""),
        SafeString(' data-form="relative"' if form == "relative" else ""),
        f"{absolute}, {relative}",
        relative if form == "relative" else absolute,
        format_html(' <span class="quiet">(<span data-relative>{}</span>)</span>', relative)
        if due
        else "",
    )


@dataclass(frozen=True, slots=True)
class Crumb:
    label: str
    url: str


@register.inclusion_tag("ui/components/breadcrumbs.html")
def breadcrumbs(*parts: str) -> dict[str, Any]:
    """`{% breadcrumbs "Course" url "Labs" url "This page" %}`; the last has no address."""
    pairs = list(parts) + ([""] if len(parts) % 2 else [])
    return {
        "crumbs": [Crumb(label, url) for label, url in zip(pairs[::2], pairs[1::2], strict=True)]
    }


@register.simple_block_tag
def scrolling_table(content: str, label: str) -> SafeString:
    """Around a <table>: scrolls sideways by itself, also by keyboard, and never the page."""
    return format_html(
        '<div class="table-wrap" role="region" aria-label="{}" tabindex="0">{}</div>',
        label,
        content,
    )


@register.simple_tag(takes_context=True)
def theme_attribute(context: Context) -> SafeString:
    """The reader's choice of colours, so that the first byte of the page already has it."""
    request = context.get("request")
    theme = request.COOKIES.get("gradus_theme") if request is not None else None
    return SafeString(f' data-theme="{theme}"') if theme in ("light", "dark") else SafeString("")


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    label: str
    url: str
    current: bool


# label, URL name, the names of pages that belong under it, staff only
NAVIGATION = (
    ("Home", "courses:home", ("courses:home",), False),
    ("Syllabus", "schedule:syllabus", ("schedule:syllabus", "courses:topic"), False),
    ("Schedule", "schedule:schedule", ("schedule:schedule", "courses:homework"), False),
    ("Labs", "workbench:labs", ("workbench:", "submissions:"), False),
    ("Staff", "gradebook:dashboard", ("gradebook:",), True),
)


@register.inclusion_tag("ui/navigation.html", takes_context=True)
def course_navigation(context: Context) -> dict[str, Any]:
    """The course's pages; needs `course` in the context, and `enrolment` for what staff see."""
    course, enrolment = context.get("course"), context.get("enrolment")
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    here = match.view_name if match else ""
    if course is None:
        return {"entries": []}
    entries = []
    for label, name, belonging, staff_only in NAVIGATION:
        if staff_only and not (enrolment and enrolment.is_staff):
            continue
        try:
            url = reverse(name, args=[course.slug])
        except NoReverseMatch:
            continue
        entries.append(NavigationEntry(label, url, _belongs(here, belonging)))
    return {"entries": entries}


def _belongs(here: str, belonging: tuple[str, ...]) -> bool:
    """A page by its whole name, or all pages of an app by the name before the colon."""
    return any(here == name or (name.endswith(":") and here.startswith(name)) for name in belonging)
