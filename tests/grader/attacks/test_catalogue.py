"""Every attack of the catalogue, behind every wall that is there."""

import pytest

from tests.grader.attacks.catalogue.trial import CATALOGUE, NAMES, complaint
from tests.grader.grading_desk import Desk


@pytest.mark.parametrize("name", NAMES)
def test_an_attack_does_not_get_what_it_wants(desk: Desk, name: str) -> None:
    assert complaint(desk, NAMES[name]) == "", NAMES[name].technique


def test_the_catalogue_is_whole() -> None:
    """No name twice, and a sentence for each."""
    assert len(NAMES) == len(CATALOGUE) >= 100
    assert all(attack.technique.endswith(".") for attack in CATALOGUE)
