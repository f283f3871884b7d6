"""Homeworks of the catalog: read, and refused with key and remedy where they are broken."""

from decimal import Decimal
from pathlib import Path

import pytest

from grader.errors import LabError
from labs.catalog import find_homeworks, get_homework, get_lab
from labs.homework import read_homework

SOUND = """
title = "Homework 9"
points = 10
[[parts]]
lab = "autodiff"
exercises = ["E1", "E4"]
points = 10
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "homework9.toml"
    path.write_text(text)
    return path


def test_a_homework_names_exercises_of_labs_and_their_points(tmp_path: Path) -> None:
    homework = read_homework(written(tmp_path, SOUND), get_lab)
    assert (homework.name, homework.title, homework.points) == (
        "homework9",
        "Homework 9",
        Decimal(10),
    )
    (part,) = homework.parts
    assert (part.lab, part.exercises, part.points) == ("autodiff", ("E1", "E4"), Decimal(10))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('title = "Homework 9"', "", "title: is missing"),
        ("points = 10\n[[", "points = 11\n[[", "the parts add up to 10, not to 11"),
        ("points = 10\n[[", "points = -1\n[[", "points: must be a number above 0"),
        ('"autodiff"', '"nothing"', "parts[0].lab: There is no lab 'nothing'"),
        ('"E4"', '"E99"', "autodiff has no 'E99'; it has E1"),
        ('"E4"', '"E1"', "E1 of autodiff counts twice"),
        ('["E1", "E4"]', "[]", "must list ids of exercises"),
        ("[[parts]]", "[[part]]", "parts: is missing"),
        ('lab = "autodiff"', 'lab = "autodiff"\nweight = 2', "parts[0].weight: unknown"),
        ('title = "Homework 9"', "title = ", "correct the TOML"),
    ],
)
def test_a_broken_homework_names_its_key_and_the_remedy(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    with pytest.raises(LabError) as refused:
        read_homework(written(tmp_path, SOUND.replace(old, new)), get_lab)
    assert told in str(refused.value)
    assert "homework9.toml" in str(refused.value)


def test_a_folder_of_ones_own_adds_homeworks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "homeworks").mkdir()
    written(tmp_path / "homeworks", SOUND)
    monkeypatch.setenv("GRADUS_LABS_PATH", str(tmp_path))
    assert "homework9" in find_homeworks()
    assert get_homework("homework9").title == "Homework 9"


def test_an_unknown_homework_is_told() -> None:
    with pytest.raises(LabError, match="There is no homework"):
        get_homework("homework99")


def test_the_first_homework_is_worth_a_hundred_points_in_three_labs() -> None:
    homework = get_homework("homework1")
    assert [(part.lab, part.points) for part in homework.parts] == [
        ("tensors", 30),
        ("optim", 30),
        ("autodiff", 40),
    ]
    assert homework.points == 100
    minutes = sum(
        exercise.minutes
        for part in homework.parts
        for exercise in get_lab(part.lab).exercises
        if exercise.id in part.exercises
    )
    assert 7 * 60 <= minutes <= 12 * 60
