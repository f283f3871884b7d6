"""Pages that were damaged or made to do harm: always an answer, never a traceback, never long."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campus.schedule.page import read_page
from campus.schedule.page.links import why_refused
from campus.schedule.page.source import LARGEST_PAGE_BYTES
from tests.web.schedule.pages import PAGE, SOUND, problems, read, with_cell

PIECES = [
    "|",
    "\n",
    "&",
    "<br>",
    "[",
    "]",
    "(",
    ")",
    "-",
    "W5",
    "02/30",
    "%",
    "$",
    "\\",
    "`",
    "*",
    "_",
    "~~",
]
PIECES += [
    "[[Slides]](x)",
    "---|---|",
    "# ",
    "<!--",
    "```",
    "2025/04/31",
    "\u202e",
    "\ufeff",
    "✔️",
    "(50%)",
    "W99-",
]


def sentences(source: bytes) -> list[str]:
    return [str(problem) for problem in read_page(source, year=2025).findings.problems]


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbf" + SOUND.encode(),
        SOUND.replace("\n", "\r\n").encode(),
        SOUND.replace("\n", "\r").encode(),
        SOUND.replace(" ", "\u00a0").encode(),
        SOUND.replace(" | ", "\t|\t").encode(),
        "".join(chr(ord(c) + 0xFEE0) if c in "0123456789/,-&|%()" else c for c in SOUND).encode(),
        ("---\nlayout: page\n---\n" + SOUND).encode(),
        ("<!-- Date | Topic |\n---|---|\nW1-02/30 | x | -->\n" + SOUND).encode(),
        ("```\nDate | Topic |\n---|---|\nW1-02/30 | x |\n```\n" + SOUND).encode(),
    ],
    ids=["bom", "crlf", "cr", "nbsp", "tabs", "full-width", "front-matter", "comment", "fence"],
)
def test_what_an_editor_leaves_behind_changes_nothing(source: bytes) -> None:
    reading = read_page(source, year=2025)
    assert sentences(source) == []
    plain = read(SOUND).page
    assert [w.dates for w in reading.page.weeks] == [w.dates for w in plain.weeks]
    assert [len(w.meetings) for w in reading.page.weeks] == [len(w.meetings) for w in plain.weeks]
    assert [h.due for h in reading.page.homeworks] == [h.due for h in plain.homeworks]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"", "the page is empty"),
        (b" \r\n\t\n", "the page is empty"),
        (SOUND.encode("utf-16"), "the file is UTF-16"),
        (SOUND.encode().replace(b"RAG", b"R\xffG"), "byte ff is not UTF-8"),
        (SOUND.replace("RAG", "R\x00G").encode(), "control character, U+0000"),
        (b"a" * (LARGEST_PAGE_BYTES + 1), "a course page at most 1,048,576"),
        (("```\n" + SOUND).encode(), "never closed"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_said(source: bytes, says: str) -> None:
    assert any(says in sentence for sentence in sentences(source))


def test_a_wrong_byte_is_found_by_line_and_column() -> None:
    source = SOUND.encode().replace(b"| RAG", b"| R\xffG")
    (problem,) = read_page(source, year=2025).findings.problems
    assert problem.place == "16:20"


@pytest.mark.parametrize(
    "address",
    [
        *[
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\tscript:alert(1)",
            "java&#10;script:alert(1)",
        ],
        *[
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "//evil.example",
            r"\\evil.example",
        ],
        *[
            "https://user:secret@example.org/",
            "https://",
            "&#106;avascript:alert(1)",
            "http://[::1",
        ],
    ],
)
def test_a_dangerous_address_is_refused(address: str) -> None:
    reading = read(with_cell(f"A [[Slides]]({address}) & B"))
    assert [field for _, field, _ in problems(reading)][:1] == ["week5.topics"]
    assert all(not r.url for m in reading.page.weeks[4].meetings for r in m.resources)


@pytest.mark.parametrize(
    "address", ["https://example.org/a", "http://e.org", "a/b.pdf", "../x", "#y", "?z"]
)
def test_a_harmless_address_is_taken(address: str) -> None:
    assert why_refused(address) is None


@pytest.mark.parametrize(
    "html", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<iframe>", "<a href=x>"]
)
def test_html_in_a_cell_is_refused_and_never_kept(html: str) -> None:
    reading = read(with_cell(f"A {html} & B"))
    assert "week5.topics" in [field for _, field, _ in problems(reading)]
    assert not any("<" in m.title for w in reading.page.weeks for m in w.meetings)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_mutated_page_gives_problems_or_a_page_but_never_a_traceback(data: st.DataObject) -> None:
    page = PAGE
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(page)))
        cut = data.draw(st.integers(0, 40))
        page = (
            page[:at] + data.draw(st.sampled_from(PIECES) | st.text(max_size=8)) + page[at + cut :]
        )
    reading = read_page(page.encode("utf-8", "surrogatepass"), year=2025)
    last = page.count("\n") + page.count("\r") + page.count("\u2028") + 1
    for problem in reading.findings.problems:
        assert 1 <= problem.line <= last
        assert problem.field
        assert str(problem)
        assert problem.proposal or problem.remedy


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_give_an_answer(source: bytes) -> None:
    assert not read_page(source, year=2025).is_sound


@pytest.mark.parametrize(
    "unit",
    ["| W1-02/04 | A |\n", "[", "[[a](", "(", "*a", "`", "<b", "&", "- a (1%)\n", "# a\n", "| a\n", "1 × ", "<!--", "\\|"],
)  # fmt: skip
def test_a_page_full_of_one_thing_is_answered_in_time(unit: str) -> None:
    head = "Lecturer: A B\n\nDate | Topic |\n---|---|\nW1-02/04 | "
    source = (head + unit * (100_000 // len(unit))).encode()
    begin = time.process_time()
    read_page(source, year=2025)
    assert time.process_time() - begin < 5
