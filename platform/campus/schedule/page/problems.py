"""Everything that is wrong with a page, collected so that it is reported at once.

A problem names a *field* (`homework4.due`). Where a single value would mend it, the person who
imports may choose that value on the command line; a choice answers exactly the problem that was
reported for its field. A choice that no problem asked for is itself an error, because it would hide
that somebody meanwhile mended the page, or mistyped the field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

T = TypeVar("T")
LONGEST_QUOTE = 120
MOST_FINDINGS = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """Something on the page that cannot be right.

    `proposal` is a value that the field could take, `remedy` a sentence for where no value helps.
    """

    line: int
    field: str
    text: str
    message: str
    proposal: str = ""
    remedy: str = ""
    column: int | None = None
    choosable: bool = False

    def __str__(self) -> str:
        quoted = quote(self.text)
        sentence = f"{quoted}: {self.message}" if quoted else self.message
        if self.proposal:
            return f"{sentence}; did you mean {self.proposal}?"
        return f"{sentence}; {self.remedy}" if self.remedy else sentence

    @property
    def place(self) -> str:
        """`line` or `line:column`, the way editors and compilers write it."""
        return f"{self.line}" if self.column is None else f"{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was read in a way worth knowing; it stops nothing."""

    line: int
    field: str
    text: str
    message: str

    def __str__(self) -> str:
        quoted = quote(self.text)
        return f"{quoted}: {self.message}" if quoted else self.message


def quote(text: str) -> str:
    """The text on one line, cut where it would flood a terminal."""
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_QUOTE else f"{flat[: LONGEST_QUOTE - 1]}…"


@dataclass(slots=True)
class Findings:
    """Collects problems and notes of one reading, and answers problems with choices."""

    choices: Mapping[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    answered: dict[str, str] = field(default_factory=dict)
    choosable_fields: set[str] = field(default_factory=set)
    _seen: set[Problem | Note] = field(default_factory=set)

    def report(self, problem: Problem) -> None:
        """Remember a problem, once. Of a page that is nothing but problems the first will do."""
        if problem not in self._seen and len(self.problems) < MOST_FINDINGS:
            self._seen.add(problem)
            self.problems.append(problem)

    def note(self, line: int, field_name: str, text: str, message: str) -> None:
        note = Note(line, field_name, text, message)
        if note not in self._seen and len(self.notes) < MOST_FINDINGS:
            self._seen.add(note)
            self.notes.append(note)

    def decide(self, problem: Problem, parse: Callable[[str], T]) -> T | None:
        """The value chosen for the problem's field; None after reporting the problem.

        `parse` raises ValueError with a sentence. A choice answers one problem: if the value that
        was chosen is wrong in another way, that is a problem of its own.
        """
        self.choosable_fields.add(problem.field)
        if problem.field not in self.choices or problem.field in self.answered:
            self.report(replace(problem, choosable=True))
            return None
        chosen = self.choices[problem.field]
        self.answered[problem.field] = chosen
        try:
            return parse(chosen)
        except ValueError as error:
            self.report(
                Problem(
                    line=problem.line,
                    field=problem.field,
                    text=f"--choose {problem.field}={chosen}",
                    message=str(error),
                    proposal=problem.proposal,
                    remedy=problem.remedy,
                    column=problem.column,
                )
            )
            return None

    def unused_choices(self) -> list[str]:
        """Choices that no problem asked for, in the order given."""
        return [name for name in self.choices if name not in self.answered]

    def sorted_problems(self) -> list[Problem]:
        return sorted(self.problems, key=lambda p: (p.line, p.column or 0, p.field))
