"""What `python -m grader grade` prints of mistakes, flags and ranks."""

from pathlib import Path

import pytest

from grader.__main__ import main
from grader.notebook import reference_answers
from labs.catalog import read_lab, student_notebook
from tests.labs.tiny import TOML, write_tiny_lab

TALK = Path(__file__).resolve().parents[1] / "fixtures" / "labs" / "talk"


def printed(
    capsys: pytest.CaptureFixture[str], folder: Path, notebook: Path, **answers: str
) -> str:
    lab = read_lab(folder)
    notebook.write_bytes(student_notebook(lab, reference_answers(lab) | answers))
    assert main(["grade", str(folder), str(notebook)]) == 0
    return capsys.readouterr().out


def test_a_known_mistake_is_named_with_its_file_and_a_flag_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = TOML.replace('["torch"]', '["torch", "numpy.square"]')
    folder = write_tiny_lab(tmp_path / "labs", toml=toml)
    source = "import numpy as np\ndef square(x):\n    np.square\n    return x * x * x"
    text = printed(capsys, folder, tmp_path / "mine.ipynb", square=source)
    assert "This looks like a known mistake (wrong/wrong_2.py): Computes x**3." in text
    assert "flag (forbidden, changes no score): uses numpy.square (cell square, line 3)" in text


def test_how_ranks_ended_is_said_once_and_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swap = "def swap(x, comm):\n    raise KeyError('\\x1b[31m')"
    text = printed(capsys, TALK, tmp_path / "mine.ipynb", exchange=swap)
    assert text.count("KeyError: ") == 1
    assert "failed, too: rank " in text
    assert "\x1b" not in text
