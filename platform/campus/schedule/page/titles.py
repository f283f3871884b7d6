"""What the course is called and what it says of itself."""

import re
from collections.abc import Sequence

from campus.schedule.page.links import find_brackets, why_refused
from campus.schedule.page.outline import BULLET, Heading, Prose
from campus.schedule.page.people import person_line
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.source import DASH

CODE = re.compile(r"\b[A-Z]{2,5}[ -]?\d{3,5}[A-Z]?\b")
YEAR = re.compile(r"(?<!\d)(20\d\d|19\d\d)(?!\d)")
TERM_WORD = re.compile(r"\b(?:spring|summer|fall|autumn|winter|semester|term)\b", re.IGNORECASE)
YEAR_AND_TERM = re.compile(
    rf"[(\[]?\s*(?:{YEAR.pattern}\s*(?:{DASH}|/)?\s*(?:spring|summer|fall|autumn|winter)?"
    rf"|(?:spring|summer|fall|autumn|winter)\s*{YEAR.pattern})\s*[)\]]?",
    re.IGNORECASE,
)
NOT_A_TITLE = re.compile(
    r"^(?:home|welcome|news|announcements?|contents?|table of contents)\W*$", re.IGNORECASE
)
LONGEST_CODE = 40
LONGEST_TITLE = 200
LONGEST_OVERVIEW = 20_000


def read_title(headings: Sequence[Heading], year: int, findings: Findings) -> tuple[str, str]:
    """Code and title of the course; empty where no heading says them."""
    named = [heading for heading in headings if not heading.section]
    first_section = next((h.line for h in headings if h.section), None)
    named = [h for h in named if first_section is None or h.line < first_section]
    code, titles = "", []
    for heading in named:
        check_year(heading, year, findings)
        match = CODE.search(heading.text)
        if match and not code:
            code = match.group().replace(" ", "").replace("-", "")[:LONGEST_CODE]
        rest = YEAR_AND_TERM.sub(" ", CODE.sub(" ", heading.text) if match else heading.text)
        rest = " ".join(rest.split()).strip(" -–—:|,.()")
        if len(rest.split()) >= 2 and not NOT_A_TITLE.match(rest):
            titles.append(rest)
    return code, titles[0][:LONGEST_TITLE] if titles else ""


def check_year(heading: Heading, year: int, findings: Findings) -> None:
    """A heading that names another year than the one given: one of them is wrong."""
    said = {int(found) for found in YEAR.findall(heading.text)}
    if (
        not said
        or year in said
        or not (CODE.search(heading.text) or TERM_WORD.search(heading.text))
    ):
        return

    def parse(value: str) -> int:
        if value != str(year):
            raise ValueError(f"choose {year}, or import with --year {value}")
        return year

    other = max(said)
    findings.decide(
        Problem(
            heading.line,
            "title.year",
            heading.text,
            f"the page says {other}, the import --year {year}",
            remedy=f"import with --year {other}, or choose title.year={year} if the heading is wrong",
        ),
        parse,
    )


def read_overview(prose: Sequence[Prose], findings: Findings) -> str:
    """The paragraphs about the course, as Markdown."""
    in_section = [line for line in prose if line.section == "overview"]
    chosen = in_section or [line for line in prose if not line.section]
    paragraphs: list[list[str]] = [[]]
    for line in chosen:
        text = line.text.strip()
        is_list = BULLET.match(line.text) is not None
        if person_line(text) or text.startswith("$") or "|" in text or (is_list and not in_section):
            continue
        if not text:
            paragraphs.append([])
        else:
            paragraphs[-1].append(text)
            check_links(line, findings)
    # Without a heading only a sentence counts as being about the course.
    kept = ["\n".join(p) for p in paragraphs if p]
    if not in_section:
        kept = [paragraph for paragraph in kept if len(paragraph.split()) >= 8]
    overview = "\n\n".join(kept)
    if len(overview) > LONGEST_OVERVIEW:
        message = (
            f"the overview has {len(overview):,} characters, at most {LONGEST_OVERVIEW:,} are kept"
        )
        findings.report(Problem(chosen[0].line, "overview", "", message, "", "shorten it"))
    return overview[:LONGEST_OVERVIEW]


def check_links(line: Prose, findings: Findings) -> None:
    for bracket in find_brackets(line.text):
        if bracket.address and (reason := why_refused(bracket.address)) is not None:
            whole = line.text[bracket.start : bracket.end]
            findings.report(
                Problem(
                    line.line, "overview", whole, reason, "", "mend the address", bracket.start + 1
                )
            )
