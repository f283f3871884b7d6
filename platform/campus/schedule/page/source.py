"""Bytes of a course page → clean lines with their numbers.

People write these pages in word processors, browsers and chat windows. What those leave behind
(byte order marks, full-width digits, no-break spaces, invisible joiners) is mended here, so that
everything after this works on plain text; what cannot be mended with certainty is a problem.
"""

import re
import unicodedata
from dataclasses import dataclass

from campus.schedule.page.problems import Findings, Problem

LARGEST_PAGE_BYTES = 1024 * 1024
BYTE_ORDER_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)

DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"
DASH = rf"[{re.escape(DASHES)}]"

# U+FF01 to U+FF5E are ASCII made as wide as a Chinese character.
TRANSLATION: dict[int, str | None] = {0xFF01 + i: chr(0x21 + i) for i in range(94)}
TRANSLATION |= dict.fromkeys(
    [0x09, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " "
)
TRANSLATION |= dict.fromkeys([0x2044, 0x2215, 0x29F8], "/")
TRANSLATION |= {ord("❘"): "|", ord("｜"): "|"}

COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
NOT_NEWLINE = re.compile(r"[^\n]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the page, cleaned; `number` counts from 1 as editors do."""

    number: int
    text: str


def read_lines(page: bytes, findings: Findings) -> tuple[Line, ...]:
    """The page's lines; none after a problem that makes the rest unreadable."""
    text = decode(page, findings)
    if text is None:
        return ()
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    text = COMMENT.sub(lambda comment: NOT_NEWLINE.sub(" ", comment.group()), text)
    raw_lines = without_front_matter(text.split("\n"))
    lines = tuple(
        Line(number, clean(raw, number, findings)) for number, raw in enumerate(raw_lines, 1)
    )
    lines = without_fenced_code(lines, findings)
    if not any(line.text.strip() for line in lines):
        findings.report(
            Problem(1, "page", "", "the page is empty", remedy="give the file of the course page")
        )
        return ()
    return lines


def decode(page: bytes, findings: Findings) -> str | None:
    """The page as text, or None after saying why it is none."""
    if len(page) > LARGEST_PAGE_BYTES:
        findings.report(
            Problem(
                1,
                "page",
                "",
                f"the file has {len(page):,} bytes, a course page at most {LARGEST_PAGE_BYTES:,}",
                remedy="give the Markdown of the page alone, without pictures",
            )
        )
        return None
    for mark, encoding in BYTE_ORDER_MARKS:
        if page.startswith(mark):
            findings.report(
                Problem(
                    1,
                    "page",
                    "",
                    f"the file is {encoding}",
                    remedy=f"save it as UTF-8 (iconv -f {encoding} -t UTF-8)",
                )
            )
            return None
    try:
        return page.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = page[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        offending = page[error.start : error.end].hex(" ")
        findings.report(
            Problem(
                line,
                "page",
                "",
                f"byte {offending} is not UTF-8",
                remedy="save the file as UTF-8 (iconv -f GB18030 -t UTF-8 if it was Chinese text)",
                column=column,
            )
        )
        return None


def clean(raw: str, number: int, findings: Findings) -> str:
    """One line with look-alikes made plain and invisible characters gone."""
    text = raw.translate(TRANSLATION)
    if text.isascii() and text.isprintable():
        return text.rstrip()
    kept = []
    for column, character in enumerate(text, 1):
        category = unicodedata.category(character)
        if category == "Cc":
            findings.report(
                Problem(
                    number,
                    "page",
                    "",
                    f"an invisible control character, U+{ord(character):04X}",
                    remedy="delete it",
                    column=column,
                )
            )
            kept.append(" ")
        elif is_visible(character):
            kept.append(character)
    return "".join(kept).rstrip()


def is_visible(character: str) -> bool:
    """False for joiners, variation selectors, direction overrides and private characters."""
    if unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs", "Cn"}:
        return False
    return not ("\ufe00" <= character <= "\ufe0f" or character == "\u034f")


def visible(text: str) -> str:
    """The text without characters that nobody can see, as an HTML entity may have brought in."""
    return "".join(c for c in text.translate(TRANSLATION) if is_visible(c))


def without_front_matter(lines: list[str]) -> list[str]:
    """YAML between `---` lines at the very top belongs to a site generator."""
    if lines and lines[0].rstrip() == "---":
        for index, line in enumerate(lines[1:60], 1):
            if line.rstrip() == "---":
                return [""] * (index + 1) + lines[index + 1 :]
    return lines


def without_fenced_code(lines: tuple[Line, ...], findings: Findings) -> tuple[Line, ...]:
    """Fenced code is an example of something, never the course's own table."""
    kept: list[Line] = []
    opening: str | None = None
    opened_at = 0
    for line in lines:
        fence = FENCE.match(line.text)
        if opening is None and fence:
            opening, opened_at = fence.group(1), line.number
            findings.note(line.number, "page", line.text, "fenced code is not imported")
            kept.append(Line(line.number, ""))
        elif opening is not None:
            if line.text.strip().startswith(opening) and not line.text.strip().strip(opening[0]):
                opening = None
            kept.append(Line(line.number, ""))
        else:
            kept.append(line)
    if opening is not None:
        findings.report(
            Problem(
                opened_at,
                "page",
                opening,
                "this code fence is never closed, so nothing after it was read",
                remedy="close it or delete it",
            )
        )
    return tuple(kept)
