"""The check results that a made-up submission would have got.

Nothing is graded here: the verdicts follow from the mistakes that were put into the answers, and the
numbers in a difference are made up. That is why seeded attempts name "seed" as their worker and wall.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from random import Random

from campus.gradebook.demo.story import Kind, Progress
from grader.api import (
    CellResult,
    CheckResult,
    ElementDifference,
    ExceptionInfo,
    TraceLine,
    Verdict,
)
from labs.catalog import CheckInfo, Exercise, Lab

SLOW_WORDS = ("exponential", "forever", "never end", "visited", "too long")


def check_results(
    rng: Random, lab: Lab, progress: Mapping[str, Progress], answers: Mapping[str, str]
) -> list[CheckResult]:
    """One result a check, in the lab's order."""
    broken_at = _first_unfinished(lab, progress)
    passed: set[str] = set()
    results = []
    for check in lab.checks:
        exercise = lab.exercise(check.exercise)
        if broken_at is not None and lab.exercises.index(exercise) >= broken_at:
            result = _result(
                rng, check, Verdict.NOT_REACHED, message="The notebook stopped before it."
            )
        elif missing := [need for need in check.needs if need not in passed]:
            result = _result(
                rng, check, Verdict.NOT_REACHED, message=f"Needs {', '.join(missing)} first."
            )
        else:
            result = _of_exercise(rng, check, exercise, progress[check.exercise], answers)
        if result.verdict is Verdict.PASSED:
            passed.add(check.name)
        results.append(result)
    return results


def cell_results(
    rng: Random, lab: Lab, progress: Mapping[str, Progress], answers: Mapping[str, str]
) -> Iterator[CellResult]:
    """How each code cell ended: a cell that does not parse stops all after it."""
    broken_at = _first_unfinished(lab, progress)
    broken_cell = lab.exercises[broken_at].cells[-1] if broken_at is not None else None
    stopped = False
    for cell in lab.cells:
        if cell.kind != "code" or cell.role == "check":
            continue
        if stopped:
            yield CellResult(cell=cell.id, ended="not_run")
        elif cell.id == broken_cell:
            stopped = True
            lines = answers[cell.id].splitlines()
            frame = TraceLine(cell=cell.id, line=len(lines), source=lines[-1])
            yield CellResult(
                cell=cell.id,
                ended="error",
                exception=ExceptionInfo(
                    type="SyntaxError", text="'(' was never closed", trace=(frame,)
                ),
            )
        else:
            yield CellResult(cell=cell.id, seconds=round(rng.uniform(0.0002, 0.004), 5))


def _first_unfinished(lab: Lab, progress: Mapping[str, Progress]) -> int | None:
    for place, exercise in enumerate(lab.exercises):
        if progress[exercise.id].kind is Kind.UNFINISHED:
            return place
    return None


def _of_exercise(
    rng: Random,
    check: CheckInfo,
    exercise: Exercise,
    progress: Progress,
    answers: Mapping[str, str],
) -> CheckResult:
    mistake = progress.mistake
    if progress.kind is Kind.UNTOUCHED:
        return _result(rng, check, Verdict.ERROR, exception=_not_written(exercise, answers))
    if mistake is None or check.name not in mistake.caught_by:
        return _result(rng, check, Verdict.PASSED)
    story = f"{mistake.name} {mistake.story}".casefold()
    if any(word in story for word in SLOW_WORDS):
        return _result(
            rng,
            check,
            Verdict.TIMED_OUT,
            message="No answer within the time limit.",
            hint=mistake.hint,
        )
    return _result(
        rng,
        check,
        Verdict.FAILED,
        message="The answer differs from the reference.",
        hint=mistake.hint or check.hint,
        difference=_difference(rng),
    )


def _result(
    rng: Random,
    check: CheckInfo,
    verdict: Verdict,
    *,
    message: str = "",
    hint: str = "",
    difference: ElementDifference | None = None,
    exception: ExceptionInfo | None = None,
) -> CheckResult:
    is_passed = verdict is Verdict.PASSED
    was_asked = verdict is not Verdict.NOT_REACHED
    return CheckResult(
        check=check.name,
        exercise=check.exercise,
        title=check.title,
        verdict=verdict,
        points=check.points if is_passed else Decimal(0),
        max_points=check.points,
        hidden=check.hidden,
        message=message,
        hint=hint[:1000],
        difference=difference,
        inputs=_inputs(rng) if was_asked and not is_passed else "",
        exception=exception,
        trials_passed=check.trials if is_passed else 0,
        trials=check.trials,
        seconds=round(rng.uniform(0.004, 0.06), 4) if was_asked else 0.0,
    )


def _difference(rng: Random) -> ElementDifference:
    expected = rng.gauss(0, 2)
    got = rng.choice((expected / 2, -expected, 0.0, expected + rng.gauss(0, 1)))
    row, column = rng.randrange(4), rng.randrange(3)
    return ElementDifference(
        path=f"grad[{row}, {column}]",
        got=f"{got:.6g}",
        expected=f"{expected:.6g}",
        relative_error=round(abs(got - expected) / max(abs(expected), 1e-9), 6),
    )


def _inputs(rng: Random) -> str:
    rows = [", ".join(f"{rng.gauss(0, 1):.4f}" for _ in range(3)) for _ in range(2)]
    return "x = np.array([\n" + "".join(f"    [{row}],\n" for row in rows) + "])"


def _not_written(exercise: Exercise, answers: Mapping[str, str]) -> ExceptionInfo:
    """Where the starter says that there is nothing yet."""
    for cell in exercise.cells:
        for number, line in enumerate(answers.get(cell, "").splitlines(), start=1):
            if "NotImplementedError" in line:
                frame = TraceLine(cell=cell, line=number, source=line.strip())
                return ExceptionInfo(type="NotImplementedError", trace=(frame,))
    return ExceptionInfo(type="NotImplementedError")
