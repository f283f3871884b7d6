"""Hands in one attack and says what went against its promise. Needs no pytest, so that any user can run it."""

from dataclasses import replace

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


def complaint(desk: Desk, attack: Attack) -> str:
    """What the attack brought about that it must not; empty when the wall held."""
    used = patient(desk) if attack.must is Must.REACH_NOTHING else desk
    report = used.grade(**cells_of(attack))
    found = verdicts(report)
    report.model_dump_json()
    told = "; ".join(f"{r.check}: {r.verdict.value} {r.message[:200]}" for r in report.results)
    passed = [name for name, verdict in found.items() if verdict is Verdict.PASSED]
    output = printed(report)
    held = {
        Must.EARN_NOTHING: report.score == 0 and not passed,
        Must.HARM_NOBODY: report.score == 3 and set(passed) == {"totals", "totals_hidden"},
        Must.HARM_ITSELF: True,
        Must.REACH_NOTHING: "REACHED" not in output and "END" in output,
    }[attack.must]
    if not held or Verdict.INTERNAL_ERROR in found.values():
        return f"{attack.must.value}: {told}; printed {output[:500]!r}"
    after = desk.grade()
    return "" if after.score == 10 else f"the next submission got {after.score}: {after.results}"


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
