"""One form for every attack: a name, the technique in one sentence, the code, and what must happen."""

from dataclasses import dataclass
from enum import StrEnum


class Must(StrEnum):
    """What must happen, whatever the attack does. In each case no verdict is `internal_error`, and the
    submission that is graded next in the same wall gets all of its points."""

    EARN_NOTHING = "the score is 0: every answer is wrong, so any point would be unearned"
    HARM_NOBODY = "its own check fails, the checks beside it and after it pass"
    HARM_ITSELF = "only this submission suffers"
    REACH_NOTHING = "`REACHED` is printed nowhere, and `END` is"


@dataclass(frozen=True, slots=True)
class Attack:
    """A submission to the tiny lab. `code` is the cell `double`; without a `total` or a `root` in it,
    those two cells are wrong answers (EARN_NOTHING) or the reference's."""

    name: str
    technique: str
    must: Must
    code: str


def attacks(must: Must, *entries: tuple[str, str, str]) -> tuple[Attack, ...]:
    """Attacks with the same outcome, from (name, technique, code)."""
    return tuple(Attack(name, technique, must, code) for name, technique, code in entries)
