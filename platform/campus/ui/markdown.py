"""Lesson prose: Markdown with TeX maths to HTML that is safe to put into a page.

Raw HTML in the source is shown as text, what the renderer makes is sanitised once more, and maths
stays readable TeX in elements with `data-maths` that the browser replaces by KaTeX's output.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

ALLOWED_TAGS = (
    {"p", "br", "hr", "em", "strong", "s", "a", "code", "pre", "blockquote", "span", "div", "img"}
    | {"ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"table", "thead", "tbody", "tr", "th", "td"}
)
ALLOWED_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "code": {"class"},
    "span": {"data-maths"},
    "div": {"data-maths"},
    "ol": {"start"},
    "th": {"data-align"},
    "td": {"data-align"},
}
LOWEST_HEADING = 6


def render_markdown(
    source: str, *, headings_from: int = 2, image_address: Callable[[str], str] | None = None
) -> SafeString:
    """Safe HTML of a Markdown text.

    Its first level of heading becomes <h`headings_from`>, because the page has an <h1> already.
    `image_address` turns what stands in ![](…) into an address; without it images are left out.
    """
    parser = _parser()
    tokens = parser.parse(source)
    _shift_headings(tokens, headings_from)
    _align_without_style(tokens)
    _empty_headers_are_cells(tokens)
    _address_images(tokens, image_address)
    html = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(
        html,
        tags=ALLOWED_TAGS,
        attributes=ALLOWED_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    return mark_safe(clean)  # noqa: S308 - the line above is what makes it so


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, allow_labels=False, allow_digits=False, double_inline=True)
    parser.use(amsmath_plugin)
    parser.add_render_rule("math_inline", _maths("span", "inline"))
    parser.add_render_rule("math_inline_double", _maths("span", "block"))
    parser.add_render_rule("math_block", _maths("div", "block"))
    parser.add_render_rule("amsmath", _maths("div", "block"))
    return parser


def _maths(tag: str, kind: str) -> Callable[..., str]:
    def render(_self: Any, tokens: Sequence[Token], index: int, *_unused: Any) -> str:
        source = escape(tokens[index].content.strip())
        return f'<{tag} data-maths="{kind}">{source}</{tag}>'

    return render


def _shift_headings(tokens: list[Token], headings_from: int) -> None:
    """Keep the steps between headings, so that no level is left out for screen readers."""
    headings = [token for token in tokens if token.type in ("heading_open", "heading_close")]
    if not headings:
        return
    shift = headings_from - min(int(token.tag[1]) for token in headings)
    for token in headings:
        token.tag = f"h{max(2, min(LOWEST_HEADING, int(token.tag[1]) + shift))}"


def _align_without_style(tokens: list[Token]) -> None:
    """Columns carry their alignment as an attribute: the pages need no style attributes."""
    for token in tokens:
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            token.attrs["data-align"] = str(token.attrs.pop("style")).removeprefix("text-align:")


def _empty_headers_are_cells(tokens: list[Token]) -> None:
    """The corner above row names heads nothing, so it is no header cell."""
    for opening, content, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type == "th_open" and not content.content.strip():
            opening.tag = closing.tag = "td"


def _address_images(tokens: list[Token], image_address: Callable[[str], str] | None) -> None:
    for token in tokens:
        if token.children is None:
            continue
        _address_images(token.children, image_address)
        kept: list[Token] = []
        for child in token.children:
            if child.type == "image":
                if image_address is None:
                    continue
                child.attrs["src"] = image_address(str(child.attrs.get("src", "")))
            kept.append(child)
        token.children = kept
