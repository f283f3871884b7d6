"""Lesson prose: maths stays readable, nothing dangerous comes through."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campus.ui.markdown import render_markdown


def test_maths_stays_readable_source_for_the_browser_to_set() -> None:
    html = render_markdown("Let $a_{ij} < b$.\n\n$$\n\\frac{a}{b}\n$$\n")
    assert '<span data-maths="inline">a_{ij} &lt; b</span>' in html
    assert '<div data-maths="block">\\frac{a}{b}</div>' in html


def test_an_environment_of_ams_is_maths_too() -> None:
    html = render_markdown("\\begin{align}\na &= b\n\\end{align}\n")
    assert '<div data-maths="block">\\begin{align}' in html


@pytest.mark.parametrize("text", ["It costs $5 and $6.", "`$x$`", r"\$x\$"])
def test_a_dollar_is_not_always_maths(text: str) -> None:
    assert "data-maths" not in render_markdown(text)


def test_headings_start_below_the_page_s_own() -> None:
    html = render_markdown("# One\n\n## Two\n\n###### Six\n", headings_from=2)
    assert html.count("<h1") == 0
    assert "<h2>One</h2>" in html
    assert "<h3>Two</h3>" in html
    assert "<h6>Six</h6>" in html


def test_images_get_the_address_that_the_page_gives_them() -> None:
    html = render_markdown("![a graph](figures/a.svg)", image_address=lambda name: f"/lab/{name}")
    assert '<img src="/lab/figures/a.svg" alt="a graph">' in html
    assert "<img" not in render_markdown("![a graph](figures/a.svg)")


def test_columns_carry_their_alignment_without_style() -> None:
    html = render_markdown("| a |\n|--:|\n| 1 |\n")
    assert '<td data-align="right">1</td>' in html
    assert "style" not in html


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "$</span><script>alert(1)</script>$",
        "```python\n</code><script>alert(1)</script>\n```",
        "![x](javascript:alert(1))",
    ],
)
def test_nothing_that_runs_comes_through(source: str) -> None:
    html = render_markdown(source, image_address=lambda name: name)
    assert "<script" not in html
    assert "<img src=x" not in html
    assert 'href="javascript' not in html
    assert 'src="javascript' not in html
    assert 'href="data' not in html


@given(st.text(alphabet="$\\#*_`[]()<>!|-{}& \nab/=\"'", max_size=200))
def test_any_text_renders_and_has_no_attribute_that_runs(source: str) -> None:
    html = render_markdown(source, image_address=lambda name: name).lower()
    assert "<script" not in html
    for address in re.findall(r'(?:href|src)="([^"]*)"', html):
        assert not address.lstrip().startswith(("javascript:", "data:", "vbscript:"))
