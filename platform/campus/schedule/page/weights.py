"""The grading: `4 Homework (4 × 5% = 20%)`, `Mid-term exam (30%)` and so on, which add up to 100 %.

Lines may be indented under each other (a report and its parts); the parts then add up to their
whole. A converter may have torn a line apart at `$\\times$` or glued two items into one line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from campus.schedule.page.columns import WEIGHTS
from campus.schedule.page.inline import CROSS, TICK
from campus.schedule.page.kinds import kind_of_weight
from campus.schedule.page.links import plain
from campus.schedule.page.outline import Prose
from campus.schedule.page.people import person_line
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.shapes import PageWeight
from campus.schedule.page.source import DASH
from campus.schedule.page.tables import Table, columns_of, has_whole_shape
from campus.schedule.page.weight_tree import (
    HUNDRED,
    Weighted,
    check_parts,
    check_total,
    nested,
    show,
    slug,
    without_twins,
)

LONGEST_TITLE = 120
MOST_WEIGHTS = 100

NUMBER = r"\d{1,4}(?:\.\d{1,3})?"
PERCENT = rf"(?P<percent>{NUMBER})\s*(?:%|percent\b|per\s+cent\b)"
MARKED = re.compile(
    rf"{PERCENT}(?P<after>\s*(?:[)\];:.,]|each\b|per\b|in\s+total\b|total\b|$))?", re.IGNORECASE
)
TIMES = r"(?:[×xX*·✕⋅])"
ARITHMETIC = re.compile(
    rf"(?:(?P<count>\d{{1,2}})\s*{TIMES}\s*(?P<each>{NUMBER})\s*%|(?P<each_first>{NUMBER})\s*%\s*{TIMES}"
    rf"\s*(?P<count_last>\d{{1,2}}))(?:\s*=\s*(?P<total>{NUMBER})\s*%)?"
)
RANGE = re.compile(rf"\d\s*%?\s*{DASH}\s*{NUMBER}\s*%")
BULLET = re.compile(r"^\s*(?:[-*+•·–—]|\d{1,2}[.)])\s+")
GLUED = re.compile(r"(?<=[;.)])\s+[-*•–—]\s+(?=\S)")
LEADING_COUNT = re.compile(
    r"^(?P<count>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten)\s+(?=[^\W\d])",
    re.IGNORECASE,
)
TRAILING_COUNT = re.compile(
    rf"\s*(?:{TIMES}\s*(?P<times>\d{{1,2}})|1\s*{DASH}\s*(?P<upto>\d{{1,2}}))\s*$"
)
COUNT_WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
]
PARENTHESIS = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the grading as written, with how far it is indented."""

    line: int
    text: str
    indent: int
    bulleted: bool


def read_weights(
    prose: Sequence[Prose], tables: Sequence[Table], findings: Findings
) -> tuple[PageWeight, ...]:
    """The top lines of the grading; a page without any is a problem."""
    items = [*table_items(tables, findings), *prose_items(prose)][: MOST_WEIGHTS * 4]
    before = len(findings.problems)
    weighted = [found for item in items if (found := read_item(item, findings)) is not None]
    weights = without_twins(nested(weighted[:MOST_WEIGHTS]), findings)
    if not weights:
        if not any(problem.field.startswith("weights") for problem in findings.problems):
            remedy = "list them as “- Final exam (50%)”"
            findings.report(
                Problem(1, "weights", "", "the page has no grading weights", "", remedy)
            )
        return ()
    if len(findings.problems) == before:  # else it is known already that the sum is not
        check_total(weights, findings)
    for weight in weights:
        check_parts(weight, findings)
    return weights


def grading_lines(prose: Sequence[Prose]) -> list[Prose]:
    """Lines that can hold weights: of the grading's section, or of a page without sections."""
    if any(line.section == "grading" for line in prose):
        return [line for line in prose if line.section == "grading"]
    return [line for line in prose if line.section in {"", "overview", "syllabus", "homework"}]


def prose_items(prose: Sequence[Prose]) -> list[Item]:
    """Torn lines joined, glued items parted; every item knows the line on which it starts."""
    in_section = any(line.section == "grading" for line in prose)
    joined: list[list[Prose]] = []
    for line in grading_lines(prose):
        text = line.text.strip()
        if joined and text and belongs_to(joined[-1], text):
            joined[-1].append(line)
        elif text:
            joined.append([line])
    items: list[Item] = []
    for parts in joined:
        items.extend(item for item in part_items(parts) if item.bulleted or in_section)
    return items


def belongs_to(parts: list[Prose], text: str) -> bool:
    """Whether a line goes on where the one before it was torn off."""
    so_far = " ".join(part.text for part in parts)[-400:]
    return text.startswith(("$", "×", "=", "%")) or (
        so_far.count("(") > so_far.count(")") and BULLET.match(text) is None and "%" in text
    )


def part_items(parts: list[Prose]) -> list[Item]:
    text = ""
    starts: list[tuple[int, int]] = []
    for part in parts:
        starts.append((len(text), part.line))
        text += part.text.rstrip() + " "
    indent = len(text) - len(text.lstrip())
    items: list[Item] = []
    for piece, at in cut_glued(text):
        position = at + len(piece) - len(piece.lstrip())
        line = max((start, number) for start, number in starts if start <= position)[1]
        bulleted = bool(items) or BULLET.match(piece) is not None
        items.append(Item(line, BULLET.sub("", piece).strip(), indent, bulleted))
    return items


def cut_glued(text: str) -> list[tuple[str, int]]:
    """The items of a line with their offsets; `…; - …` is two."""
    cuts = [match.span() for match in GLUED.finditer(text)] if "%" in text else []
    edges = [0, *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), len(text)]
    return [(text[start:end], start) for start, end in zip(edges, ends, strict=True)]


def table_items(tables: Sequence[Table], findings: Findings) -> list[Item]:
    """Weights that stand in a table of components."""
    items: list[Item] = []
    for table in tables:
        columns = columns_of(table, "weights", WEIGHTS, findings)
        if not has_whole_shape(table, "weights", findings):
            continue
        if not {"name", "weight"} <= columns.keys():
            remedy = "give the table its columns Component | Weight back"
            text = table.header.text.strip()
            findings.report(
                Problem(table.header.line, "weights", text, "a column is missing", "", remedy)
            )
            continue
        name_at, weight_at = columns["name"][0], columns["weight"][0]
        for row in table.rows:
            name, weight = (
                row.cells[at].text if at < len(row.cells) else "" for at in (name_at, weight_at)
            )
            if re.fullmatch(r"\W*(?:sum|total)\W*", name, re.IGNORECASE):
                continue
            percent = weight if "%" in weight else f"{weight}%"
            items.append(Item(row.line, f"{name} ({percent.strip('() ')})", 0, bulleted=True))
    return items


def normalised(text: str) -> str:
    """LaTeX and Markdown of an item made plain: `4 $\\times$ 5\\%` is `4 × 5%`."""
    text = re.sub(r"\\(?:times|cdot)\b", "×", text)
    text = text.replace("\\%", "%").replace("$", " ").replace("**", " ").replace("__", " ")
    return " ".join(plain(CROSS.sub(" ", TICK.sub(" ", text))).split())


def read_item(item: Item, findings: Findings) -> Weighted | None:
    """The weight of one line; None for a line that has none or whose weight was reported."""
    text = normalised(item.text)
    if "%" not in text and "percent" not in text.lower():
        return None
    if person_line(text) or (text.startswith("(") and text.rstrip(".;").endswith(")")):
        return None
    title, count = item_title(text)
    if not title:
        return None
    field = f"weights.{slug(title)}"
    if RANGE.search(text):
        remedy = "give one percentage"
        problem = Problem(item.line, field, text, "a range is no weight", "", remedy)
        percent = findings.decide(problem, read_percent)
    else:
        percent, count = item_percent(item, text, count, field, findings)
    if percent is None:
        return None
    weight = PageWeight(item.line, title, kind_of_weight(title), count or 1, percent)
    if percent > HUNDRED:
        remedy = "a weight is between 0 and 100 %"
        findings.report(Problem(item.line, field, text, "more than all of it", "", remedy))
        return None
    return Weighted(weight, item.indent, opens=text.endswith(":"))


def item_title(text: str) -> tuple[str, int | None]:
    """What a line is about, and of how many: `4 Homework (…)` is 4 of Homework."""
    bare = PARENTHESIS.sub(" ", text)
    bare = ARITHMETIC.sub(" ", bare)
    bare = re.sub(
        rf"{PERCENT}\s*(?:each|in total|total|of the (?:total |final )?(?:grade|mark)s?)?",
        " ",
        bare,
        flags=re.IGNORECASE,
    )
    bare = re.split(
        r"\s[,:;]\s|,\s|:\s|;", f"{' '.join(bare.split())} ".replace(" ,", ",").replace(" :", ":")
    )[0]
    title = " ".join(bare.split()).strip(" .,;:-–—=|()*_")
    count: int | None = None
    if match := LEADING_COUNT.match(title):
        word = match["count"].lower()
        count = int(word) if word.isdecimal() else COUNT_WORDS.index(word)
        title = title[match.end() :]
    elif match := TRAILING_COUNT.search(title):
        count = int(match["times"] or match["upto"])
        title = title[: match.start()]
    return title[:LONGEST_TITLE].strip(), count


def item_percent(
    item: Item, text: str, count: int | None, field: str, findings: Findings
) -> tuple[Decimal | None, int | None]:
    """What the line counts for in all, and how many things share it."""
    if match := ARITHMETIC.search(text):
        factor = int(match["count"] or match["count_last"])
        each = Decimal(match["each"] or match["each_first"])
        total = Decimal(match["total"]) if match["total"] else factor * each
        if count is not None and count != factor:
            message = f"{count} of them, but counted {factor} times"
            findings.report(
                Problem(item.line, field, text, message, "", f"write {count} × {show(each)}%")
            )
        if factor * each != total:
            message = f"{factor} × {show(each)} % is {show(factor * each)} %, not {show(total)} %"
            problem = Problem(item.line, field, text, message, show(factor * each))
            return findings.decide(problem, read_percent), factor
        return total, factor
    found = [
        match for match in MARKED.finditer(text) if match["after"] is not None or match.start() == 0
    ]
    for_each = [m for m in found if (m["after"] or "").strip().lower() in {"each", "per"}]
    for_all = [m for m in found if m not in for_each]
    if for_each and not for_all:
        return Decimal(for_each[0]["percent"]) * (count or 1), count
    return (Decimal(for_all[0]["percent"]), count) if for_all else (None, count)


def read_percent(value: str) -> Decimal:
    if not re.fullmatch(NUMBER, value.strip(" %")) or Decimal(value.strip(" %")) > HUNDRED:
        raise ValueError("write a percentage such as 20")
    return Decimal(value.strip(" %"))
