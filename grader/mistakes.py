"""The files of `wrong/` and `cheats/`: replacement cells with a head that says what they are about.

    \"\"\"The gradient of the divisor has the wrong sign.\"\"\"
    # caught by: arithmetic_vjps
    # hint: A larger divisor makes the quotient smaller.

    # %% arithmetic-vjps
    …the whole cell…

`caught by` names the checks that have to fail. The verdict they have to fail with is `failed`, so that no
crash passes for a catch, unless another one is what the mistake really ends in: `deep_chain (error)`.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from grader.errors import LabError
from grader.percent import read_fragment
from grader.protocol import Verdict

_CAUGHT = re.compile(r"(?P<check>\w+)(?: \((?P<verdict>\w+)\))?")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong solution or cheat."""

    file: Path
    about: str
    hint: str
    caught_by: dict[str, Verdict]
    cells: dict[str, str]


def read_mistake(path: Path) -> Mistake:
    """What one file of `wrong/` or `cheats/` holds.

    Raises:
        LabError: it is no such file; the message names line and remedy.
    """
    try:
        text = path.read_text(encoding="utf-8")
        about = ast.get_docstring(ast.parse(text, filename=path.name))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise LabError(f"{path}: {error}; it must be Python.") from None
    if not about:
        raise LabError(f"{path}: no docstring; say in one sentence what the mistake is.")
    cells = read_fragment(text, file=str(path))
    head = text.partition("# %% ")[0]
    caught: dict[str, Verdict] = {}
    for part in filter(None, (part.strip() for part in _field(head, "caught by").split(","))):
        found = _CAUGHT.fullmatch(part)
        if found is None or (found["verdict"] or "failed") not in set(Verdict):
            raise LabError(f"{path}: caught by: write 'check' or 'check (verdict)', not {part!r}.")
        caught[found["check"]] = Verdict(found["verdict"] or "failed")
    return Mistake(path, about, _field(head, "hint"), caught, cells)


def read_mistakes(folder: Path) -> list[Mistake]:
    """Every file of a folder, by name; none if there is no such folder."""
    return [read_mistake(path) for path in sorted(folder.glob("*.py"))]


def _field(head: str, name: str) -> str:
    """The text after `# name:`, continued over following comment lines."""
    found = re.search(rf"^# {name}: (.*(?:\n#  .*)*)", head, re.MULTILINE)
    return re.sub(r"\n#\s+", " ", found[1]).strip() if found else ""
