"""A teaching assistant grades at a terminal: what a submission says there is text and nothing else."""

from pathlib import Path

import pytest

from grader.__main__ import CLEAN, UNUSABLE, main
from grader.notebook import reference_answers
from labs.catalog import read_lab, student_notebook
from tests.grader.grading_desk import TINY

COMMANDS = {
    "clears the screen": "\x1b[2J\x1b[H",
    "moves up and writes another score": "\x1b[20A10 of 10 points\r",
    "sets the clipboard": "\x1b]52;c;cm0gLXJmIH4K\x07",
    "sets the title": "\x9d0;root@host\x9c",
    "asks the terminal to answer": "\x1b[6n\x05",
    "reverses the direction of reading": "\u202e01 fo 01",
}


@pytest.mark.parametrize("what", COMMANDS)
def test_no_terminal_obeys_a_submission(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = COMMANDS[what]
    lab = read_lab(TINY)
    cells = {
        "double": f"def double(x): raise RuntimeError({text!r})",
        "total": f"def total(x): raise type({text!r}, (Exception,), {{}})()",
        "root": f"def root(x): return -np.sqrt(x)\nraise ValueError({text!r})  # {text.strip(chr(13))}",
    }
    file = tmp_path / "it.ipynb"
    file.write_bytes(student_notebook(lab, reference_answers(lab) | cells))
    assert main(["grade", str(TINY), str(file)]) == CLEAN
    shown = capsys.readouterr().out
    assert all(character in "\n\t" or character.isprintable() for character in shown)
    assert shown.rstrip().splitlines()[-1].startswith("0 of 10 points")


def test_nor_a_file_that_is_no_notebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "it.ipynb"
    file.write_text('{"nbformat": "\\u001b[2J", "\\u001b[2J": 1, "\\u001b[2J": 2}')
    assert main(["grade", str(TINY), str(file)]) == UNUSABLE
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
