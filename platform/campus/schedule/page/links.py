"""Which addresses a course page may link to, and the many ways in which it writes them."""

import html
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from campus.schedule.page.source import visible

LONGEST_URL = 500
SCHEME = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*:")
ALLOWED_SCHEMES = frozenset(["http", "https"])

# [[Slides]](url)  [[Slides](url)]  [Slides](url)  [[Slides]]  [Slides]; one level of nested
# parentheses in the address, as Wikipedia has them; spaces in it, as people type them.
LABEL = re.compile(r"(!?)\[(\[?)([^\[\]\n]{0,200})\]")
ADDRESS = re.compile(r"\(([^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)")
ADDRESS_TITLE = re.compile(r"""\s+(?:"[^"]*"|'[^']*')\s*$""")
BARE_ADDRESS = re.compile(r"<?(https?://[^\s<>\[\]()|]+)>?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bracket:
    """Something in square brackets: where it stands, what it says, where it leads (or None)."""

    start: int
    end: int
    label: str
    address: str | None
    doubled: bool
    image: bool
    closed: bool


def find_brackets(text: str) -> list[Bracket]:
    """All bracketed labels of a text, with their addresses, left to right."""
    found: list[Bracket] = []
    position = 0
    while (match := LABEL.search(text, position)) is not None:
        image, inner, label = match.groups()
        doubled, end, closed = bool(inner), match.end(), True
        if doubled and text.startswith("]", end):
            end += 1
            address, end = address_at(text, end)
        else:
            address, end = address_at(text, end)
            if doubled:
                closed = text.startswith("]", end)
                end += closed
        found.append(
            Bracket(match.start(), end, plain(label), address, doubled, bool(image), closed)
        )
        position = end
    return found


def address_at(text: str, position: int) -> tuple[str | None, int]:
    """The `(address)` that starts here, and where the text goes on."""
    match = ADDRESS.match(text, position)
    if match is None:
        return None, position
    raw = ADDRESS_TITLE.sub("", match.group(1).strip())
    return plain(raw.strip("<>")), match.end()


def plain(text: str) -> str:
    """Text without entities, backslashes and ticks that only Markdown or HTML needs."""
    unescaped = visible(html.unescape(text))
    return re.sub(r"\\([^\w\s])", r"\1", unescaped).replace("`", "").strip()


def why_refused(address: str) -> str | None:
    """A sentence about an address that must not be linked to; None for a good one."""
    # Browsers drop these before they look at the scheme, so `java\tscript:` would be one.
    bare = re.sub(r"[\x00-\x20]", "", address)
    scheme = SCHEME.match(bare)
    if scheme and scheme.group().rstrip(":").lower() not in ALLOWED_SCHEMES:
        return f"a link may be http, https or relative, not {scheme.group()[:20]}"
    if "\\" in bare or bare.startswith("//"):
        return "a link to another host has to start with https://"
    if len(address) > LONGEST_URL:
        return f"an address has at most {LONGEST_URL} characters, this one has {len(address)}"
    if scheme:
        try:
            parts = urlsplit(bare)
            host = parts.hostname
        except ValueError:
            return "this is not an address"
        if not host:
            return "this address has no host"
        if parts.username is not None or parts.password is not None:
            return "a link must not carry a user name or password"
    return None


def encoded(address: str) -> str:
    """The address with the spaces that people type written as %20."""
    return address.strip().replace(" ", "%20")
