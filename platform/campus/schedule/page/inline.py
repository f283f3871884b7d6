"""One table cell of the syllabus → its topics, each with its resources.

`A [Slides] & B`, `- A [[Slides]](url) <br> - B` and mixtures of them say the same thing. An ampersand
separates only with space around it or next to a bracket, so that `AT&T` stays whole, and so does `Q & A`.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from campus.schedule.page.links import (
    BARE_ADDRESS,
    Bracket,
    encoded,
    find_brackets,
    plain,
    why_refused,
)
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.shapes import PageResource
from campus.schedule.page.source import DASH, visible

LONGEST_TITLE = 200
LONGEST_LABEL = 80

# Written with spaces, these are still one thing.
ONE_THING = frozenset([("q", "a"), ("r", "d"), ("m", "a"), ("at", "t")])

BREAK, RESOURCE, AMPERSAND = "\x00", "\x01", "\x02"

TICK = re.compile(
    r"[✓✔✅☑🗸🗹]|:(?:heavy_check_mark|white_check_mark|ballot_box_with_check|check_mark):|\[[xX]\]"
)
CROSS = re.compile(r"[✗✘❌❎☐]|:(?:x|heavy_multiplication_x|negative_squared_cross_mark):|\[\s\]")
LINE_BREAK = re.compile(r"<\s*/?\s*br\s*/?\s*>", re.IGNORECASE)
TAG = re.compile(r"</?(?!https?:)([a-zA-Z][a-zA-Z0-9-]{0,30})\b[^<>]{0,500}>")
FORMATTING_TAGS = frozenset(
    ["b", "i", "u", "s", "em", "strong", "span", "font", "center", "small", "big", "sub", "sup"]
) | {"mark", "code", "del", "ins", "p", "div"}
STRUCK = re.compile(r"~~[^~]*~~")
EMPHASIS = re.compile(r"(\*\*\*|\*\*|\*|___|__|~~|`+)(?=\S)([^\x00\x01]+?)(?<=\S)\1")
UNDERSCORED = re.compile(r"(?<!\w)_(?=\S)([^_\x00\x01]+?)(?<=\S)_(?!\w)")
ESCAPED = re.compile(r"\\([^\w\s])")
BULLET = re.compile(rf"^(?:(?:{DASH}|[*+•·])\s*(?=\S)|\d{{1,2}}[.)]\s+)")
INNER_BULLET = re.compile(rf"\s(?:{DASH}|[•·])\s+")
NEVER_CLOSED = re.compile(r"\[[^\]]*$")
RESOURCE_WORD = re.compile(
    r"^(?:lecture[\s-]*|course[\s-]*|jupyter[\s-]*|lab[\s-]*)?"
    r"(?:slides?|notes?|notebooks?|videos?|recordings?|readings?|papers?|code|handouts?|demos?|colab|"
    r"pdf|ppt|link|blog|books?|chapters?|materials?|solutions?|exercises?|tutorials?|scripts?|"
    r"worksheets?|quiz|lecture|assignment|homework|lab|data|repo|github|zoom)"
    r"(?:\s*[-#:(]?\s*[\w .,&'/-]{0,60}\)?)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as written: its title without marks and markup, and what was handed out."""

    title: str
    resources: tuple[PageResource, ...]


@dataclass(frozen=True, slots=True)
class CellPlace:
    """Where a cell stands, for problems: line, column and the field it fills."""

    line: int
    column: int
    field: str


def read_topics(text: str, place: CellPlace, dates: int, findings: Findings) -> tuple[Topic, ...]:
    """The topics of a cell. `dates` is the number of the row's dates, which settles `- A - B`."""
    resources: list[PageResource] = []
    marked = mark_brackets(" ".join(text.split()), place, resources, findings)
    marked = mark_tags(marked, place, findings)
    marked = mark_bare_addresses(marked, place, resources, findings)
    marked = CROSS.sub(" ", TICK.sub(" ", visible_text(marked)))
    marked = unformatted(marked, place, findings)
    supply = iter(resources)
    topics = [
        topic
        for piece in split_topics(marked, dates)
        if (topic := make_topic(piece, supply, place, findings)) is not None
    ]
    return tuple(topics)


def mark_brackets(
    text: str, place: CellPlace, resources: list[PageResource], findings: Findings
) -> str:
    """Replace what is a resource by a sign for it, and unwrap links that are part of a title."""
    pieces: list[str] = []
    position = 0
    ticked = TICK.sub(" ", text)  # [x] is a tick, not a bracket with something in it
    for bracket in find_brackets(ticked):
        pieces.append(ticked[position : bracket.start])
        position = bracket.end
        whole = ticked[bracket.start : bracket.end]
        if bracket.image:
            findings.note(place.line, place.field, whole, "a picture in a cell is not imported")
            continue
        if not bracket.closed:
            findings.note(place.line, place.field, whole, "a bracket that is not closed")
        resource = bracket_resource(bracket, whole, place, findings)
        is_resource = (
            bracket.doubled or RESOURCE_WORD.match(bracket.label) or not bracket.label.strip()
        )
        if not is_resource:
            # Part of a title: `[FlashAttention](url) in depth`, or `Pruning [optional]`.
            linked = bracket.address is not None
            pieces.append(bracket.label.replace("&", AMPERSAND) if linked else whole)
        if resource is not None and (is_resource or resource.url):
            pieces.append(RESOURCE)
            resources.append(resource)
    pieces.append(ticked[position:])
    return "".join(pieces)


def bracket_resource(
    bracket: Bracket, whole: str, place: CellPlace, findings: Findings
) -> PageResource | None:
    """The resource of a bracket; None after a problem with its address."""
    address = encoded(bracket.address or "")
    if address and (reason := why_refused(bracket.address or "")):
        findings.report(
            Problem(
                place.line,
                place.field,
                whole,
                reason,
                remedy="write the address that students should open, or none",
                column=place.column,
            )
        )
        address = ""
    label = " ".join(bracket.label.split()) or "Link"
    return PageResource(place.line, label[:LONGEST_LABEL], address)


def mark_bare_addresses(
    text: str, place: CellPlace, resources: list[PageResource], findings: Findings
) -> str:
    """`<https://…>` and `https://…` without brackets are resources named Link.

    Signs are counted again from the left, because a bare address may stand before a bracket.
    """
    pieces: list[str] = []
    supply = iter(tuple(resources))
    resources.clear()
    position = 0
    for match in BARE_ADDRESS.finditer(text):
        before = text[position : match.start()]
        resources.extend(next(supply) for _ in range(before.count(RESOURCE)))
        address = encoded(plain(match.group(1).rstrip(".,;")))
        if (reason := why_refused(address)) is not None:
            findings.report(
                Problem(place.line, place.field, address, reason, remedy="mend the address")
            )
        resources.append(PageResource(place.line, "Link", "" if reason else address))
        pieces += [before, RESOURCE]
        position = match.end()
    pieces.append(text[position:])
    resources.extend(supply)
    return "".join(pieces)


def mark_tags(text: str, place: CellPlace, findings: Findings) -> str:
    """`<br>` separates; formatting is dropped; any other HTML is refused rather than guessed at."""
    text = LINE_BREAK.sub(BREAK, text)
    for match in TAG.finditer(text):
        name = match.group(1).lower()
        if name in FORMATTING_TAGS:
            findings.note(place.line, place.field, match.group(), "HTML formatting is dropped")
            continue
        near_break = len(name) <= 3 and "b" in name and len(match.group()) <= 6
        findings.report(
            Problem(
                place.line,
                place.field,
                match.group(),
                "only <br> has a meaning in a cell; other HTML is not taken over",
                proposal="<br>" if near_break else "",
                remedy="write Markdown, e.g. [Slides](https://…)",
                column=place.column,
            )
        )
    return TAG.sub(" ", text)


def visible_text(text: str) -> str:
    """Entities decoded, once, and nothing invisible let in by them; our own signs stay."""
    pieces = re.split(rf"([{BREAK}{RESOURCE}{AMPERSAND}])", text)
    return "".join(
        p if p in {BREAK, RESOURCE, AMPERSAND} else visible(html.unescape(p)) for p in pieces
    )


def unformatted(text: str, place: CellPlace, findings: Findings) -> str:
    """Without emphasis and escapes; what is struck out is left out."""
    for match in STRUCK.finditer(text):
        findings.note(place.line, place.field, match.group(), "struck out, so left out")
    # The sign of a resource that is struck out stays, or the count of resources would be off.
    text = STRUCK.sub(lambda struck: RESOURCE * struck.group().count(RESOURCE), text)
    text = ESCAPED.sub(lambda m: AMPERSAND if m.group(1) == "&" else m.group(1), text)
    for _ in range(3):  # ***a*** and **_a_** nest, deeper nesting is nobody's topic
        text = UNDERSCORED.sub(r"\1", EMPHASIS.sub(r"\2", text))
    return text


def split_topics(text: str, dates: int) -> Iterator[str]:
    """Cut at breaks and ampersands, and at the bullets of a list that lost its line breaks."""
    pieces = [piece for part in text.split(BREAK) for piece in split_ampersands(part)]
    for piece in pieces:
        bare = piece.strip()
        parts = INNER_BULLET.split(BULLET.sub("", bare))
        after_resource = re.search(rf"{RESOURCE}\s*(?:{DASH}|[•·])\s+\w", bare) is not None
        if BULLET.match(bare) and len(pieces) == 1 and (after_resource or len(parts) == dates > 1):
            yield from parts
        else:
            yield bare


def split_ampersands(text: str) -> Iterator[str]:
    """Cut at each `&` that separates topics."""
    start = depth = 0
    for at, character in enumerate(text):
        if character == "(":
            depth += 1
        elif character == ")":
            depth = max(0, depth - 1)
        elif character == "&" and (depth == 0 or ")" not in text[at:]) and separates(text, at):
            yield text[start:at]
            start = at + 1
    yield text[start:]


def separates(text: str, at: int) -> bool:
    """Whether the ampersand at this place stands between topics and not inside of one."""
    before, after = text[:at], text[at + 1 :]
    left, right = before.rstrip(), after.lstrip()
    if left.endswith(RESOURCE) or right.startswith(RESOURCE):
        return bool(left)
    if before == left or after == right:
        return False
    return (last_word(left), first_word(right)) not in ONE_THING


def last_word(text: str) -> str:
    return text.rpartition(" ")[2].casefold()


def first_word(text: str) -> str:
    return text.partition(" ")[0].casefold()


def make_topic(
    piece: str, supply: Iterator[PageResource], place: CellPlace, findings: Findings
) -> Topic | None:
    """A topic with the next resources of the cell; None for an empty piece."""
    resources = tuple(next(supply) for _ in range(piece.count(RESOURCE)))
    title = piece.replace(RESOURCE, " ").replace(AMPERSAND, "&")
    title = " ".join(BULLET.sub("", title.strip()).split()).strip(" ,;:|&")
    if NEVER_CLOSED.search(title):
        findings.report(
            Problem(
                place.line,
                place.field,
                title,
                "a bracket that is never closed",
                proposal=f"{title}]",
                column=place.column,
            )
        )
    if title and any(c.isalnum() for c in title):
        if len(title) > LONGEST_TITLE:
            findings.report(
                Problem(
                    place.line,
                    place.field,
                    title,
                    f"a topic has at most {LONGEST_TITLE} characters, this one has {len(title)}",
                    remedy="shorten it, or separate topics with & or <br>",
                    column=place.column,
                )
            )
        return Topic(title[:LONGEST_TITLE], resources)
    if resources or title:
        findings.report(
            Problem(
                place.line,
                place.field,
                ", ".join(resource.label for resource in resources) or title,
                "no topic stands here",
                remedy="write the topic before its resources",
                column=place.column,
            )
        )
    return None
