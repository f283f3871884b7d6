"""Every attack of the catalogue, behind every wall that is there."""

from dataclasses import replace

import pytest

from grader.protocol import GradingReport, Verdict
from tests.grader.attacks.catalogue import answers, frames, harm, more_harm, reach
from tests.grader.attacks.catalogue.attack import Attack, Must
from tests.grader.grading_desk import Desk, verdicts

CATALOGUE: tuple[Attack, ...] = (
    *answers.ATTACKS,
    *frames.ATTACKS,
    *harm.ATTACKS,
    *more_harm.ATTACKS,
    *reach.ATTACKS,
)
NAMES = {attack.name: attack for attack in CATALOGUE}
WRONG = {"total": "def total(x):\n    return None", "root": "def root(x):\n    return None"}


def cells_of(attack: Attack) -> dict[str, str]:
    """The attack in its cell; an answer in a later cell must not undo it."""
    code = attack.code
    if "total = root = double" in code:
        return {"double": code, "total": "total = double", "root": "root = double"}
    others = {
        name: "" if f"def {name}(" in code else wrong
        for name, wrong in WRONG.items()
        if attack.must is Must.EARN_NOTHING or f"def {name}(" in code
    }
    return {"double": code, **others}


def patient(desk: Desk) -> Desk:
    """The same desk with time to look everywhere: a search that was cut short proves nothing."""
    limits = desk.lab.limits.model_copy(update={"check_wall_seconds": 60.0})
    return replace(desk, lab=replace(desk.lab, limits=limits))


def printed(report: GradingReport) -> str:
    return report.notebook_stdout + "".join(found.stdout for found in report.results)


@pytest.mark.parametrize("name", NAMES)
def test_an_attack_does_not_get_what_it_wants(desk: Desk, name: str) -> None:
    attack = NAMES[name]
    report = (patient(desk) if attack.must is Must.REACH_NOTHING else desk).grade(
        **cells_of(attack)
    )
    found = verdicts(report)
    assert Verdict.INTERNAL_ERROR not in found.values(), attack.technique
    report.model_dump_json()
    if attack.must is Must.EARN_NOTHING:
        assert report.score == 0, attack.technique
        assert Verdict.PASSED not in found.values()
    elif attack.must is Must.HARM_NOBODY:
        assert found["doubles"] is not Verdict.PASSED
        assert found["totals"] is found["totals_hidden"] is Verdict.PASSED, report.results
        assert report.score == 3
    elif attack.must is Must.REACH_NOTHING:
        assert "REACHED" not in printed(report)
        assert "END" in printed(report), report.results
    assert desk.grade().score == 10


def test_the_catalogue_is_whole() -> None:
    """No name twice, and a sentence for each."""
    assert len(NAMES) == len(CATALOGUE) >= 60
    assert all(attack.technique.endswith(".") for attack in CATALOGUE)
