"""Who teaches: `**Lecturer**: [Name](url).` and `Teaching Assistant: A, B, C.`"""

import re
from collections.abc import Iterable

from campus.schedule.page.dates import is_open
from campus.schedule.page.links import find_brackets, plain
from campus.schedule.page.outline import Prose
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.shapes import PagePerson, Part
from campus.schedule.page.source import DASH

LONGEST_NAME = 150
MOST_PEOPLE = 60
ROLES = (
    (Part.LECTURER, r"(?:course\s+)?(?:lecturers?|instructors?|teachers?|professors?|faculty)"),
    (
        Part.ASSISTANT,
        r"(?:(?:head|graduate|undergraduate)\s+)?(?:teaching\s+assistants?|t\.?a\.?s?|tutors?)",
    ),
)
LABELLED = tuple(
    (
        part,
        re.compile(
            rf"^\W*{label}(?:\s*\([^()]*\))?[*_ ]*(?:[:：]|\s{DASH}\s)\W*?(?P<names>\S.*)?$",
            re.IGNORECASE,
        ),
    )
    for part, label in ROLES
)
LABELS_ALONE = tuple(
    (part, re.compile(rf"^\W*{label}\W*$", re.IGNORECASE)) for part, label in ROLES
)
SEPARATOR = re.compile(r"\s*(?:[,;，、；/]|&|\band\b|\s[|·•]\s)\s*", re.IGNORECASE)
CONTACT = re.compile(r"<[^<>]*>|\([^()]*\)|\S+@\S+")


def person_line(text: str) -> tuple[Part, str] | None:
    """The part and the names of a line that is about people."""
    for part, pattern in LABELLED:
        if match := pattern.match(text):
            return part, match["names"] or ""
    for part, pattern in LABELS_ALONE:
        if pattern.match(text):
            return part, ""
    return None


def read_people(prose: Iterable[Prose], findings: Findings) -> tuple[PagePerson, ...]:
    """Everybody who is named; a page without a lecturer is a problem that a choice can answer."""
    people: list[PagePerson] = []
    pending: Part | None = None  # a label that stood alone; its names follow as a list
    for line in prose:
        labelled = person_line(line.text)
        if labelled is not None:
            part, names = labelled
            pending = None if names else part
        elif pending is not None and line.text.strip():
            part, names = pending, re.sub(r"^\s*[-*+•]\s+", "", line.text)
            if names == line.text or len(names) > 200:
                pending = None
                continue
        else:
            continue
        people.extend(people_of(names, part, line.line, findings))
    lecturers = [person for person in people if person.part is Part.LECTURER]
    if not lecturers:
        people = [*chosen_lecturers(findings), *people]
    return unique(people[:MOST_PEOPLE], findings)


def people_of(names: str, part: Part, line: int, findings: Findings) -> list[PagePerson]:
    """The people of one line, without their links, mail addresses and titles of Markdown."""
    for bracket in reversed(find_brackets(names)):
        names = f"{names[: bracket.start]}{bracket.label}{names[bracket.end :]}"
    bare = re.sub(r"[*_`]{1,3}", "", plain(CONTACT.sub(" ", names)))
    found = []
    for piece in SEPARATOR.split(bare):
        name = " ".join(piece.split()).strip(" .,;:。")
        if not name:
            continue
        if is_open(name):
            findings.note(line, part.value, name, "not decided yet")
        elif len(name) > LONGEST_NAME or not any(character.isalpha() for character in name):
            message, remedy = "this is no name", "write Lecturer: Name"
            findings.report(Problem(line, part.value, name, message, "", remedy))
        else:
            found.append(PagePerson(line, name, part))
    return found


def chosen_lecturers(findings: Findings) -> list[PagePerson]:
    def parse(value: str) -> list[PagePerson]:
        names = people_of(value, Part.LECTURER, 1, Findings())
        if not names:
            raise ValueError("write a name")
        return names

    problem = Problem(
        1,
        "lecturer",
        "",
        "the page names no lecturer",
        remedy="add a line “Lecturer: Name”, or choose lecturer=Name",
    )
    return findings.decide(problem, parse) or []


def unique(people: list[PagePerson], findings: Findings) -> tuple[PagePerson, ...]:
    """Nobody twice in the same part."""
    seen: dict[tuple[Part, str], PagePerson] = {}
    for person in people:
        key = (person.part, person.name)
        if key in seen:
            findings.note(person.line, person.part.value, person.name, "named twice")
        seen.setdefault(key, person)
    return tuple(seen.values())
