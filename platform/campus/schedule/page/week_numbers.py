"""Which number each week has, if the page counts them rightly."""

from collections.abc import Sequence

from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.week_rows import LARGEST_WEEK_NUMBER, RawWeek


def settle_numbers(weeks: Sequence[RawWeek], findings: Findings) -> tuple[int | None, ...]:
    """A number for each row, ascending; None where a problem had to be reported."""
    if weeks and all(week.number is None for week in weeks):
        findings.report(
            Problem(
                weeks[0].line,
                "syllabus",
                weeks[0].label,
                "no row of the syllabus says which week it is",
                remedy="begin the rows with W1, W2, …",
            )
        )
        return tuple(None for _ in weeks)
    numbers = with_missing_numbers(weeks, findings)
    numbers = without_duplicates(weeks, numbers, findings)
    check_order(weeks, numbers, findings)
    return tuple(numbers)


def read_number(value: str) -> int:
    if not value.isdecimal() or not 0 <= int(value) <= LARGEST_WEEK_NUMBER:
        raise ValueError(f"a week's number is between 0 and {LARGEST_WEEK_NUMBER}")
    return int(value)


def with_missing_numbers(weeks: Sequence[RawWeek], findings: Findings) -> list[int | None]:
    """The numbers as written, with those chosen that are missing or beyond all bounds."""
    numbers: list[int | None] = []
    for week in weeks:
        expected = next((n + 1 for n in reversed(numbers) if n is not None), 1)
        if week.number is not None and week.number <= LARGEST_WEEK_NUMBER:
            numbers.append(week.number)
        elif week.number is None and not week.whole:
            numbers.append(None)  # the row lost a cell, which is reported already
        else:
            message = "no number of a week, such as W1, stands here"
            if week.number is not None:
                message = f"week {week.number} of a course cannot be"
            numbers.append(
                findings.decide(
                    Problem(
                        week.line,
                        f"row{week.row}.week",
                        week.label,
                        message,
                        proposal=str(expected),
                        column=week.date_cell.column,
                    ),
                    read_number,
                )
            )
    return numbers


def without_duplicates(
    weeks: Sequence[RawWeek], numbers: Sequence[int | None], findings: Findings
) -> list[int | None]:
    """Each number once. Of two equal ones the row is blamed whose neighbours miss another."""
    settled = list(numbers)
    seen: dict[int, int] = {}
    for index, number in enumerate(numbers):
        if number is None:
            continue
        if number not in seen:
            seen[number] = index
            continue
        first = seen[number]
        blamed, other, proposal = index, first, number + 1
        if (
            number - 1 not in numbers
            and number > 1
            and (first == 0 or numbers[first - 1] == number - 2)
        ):
            blamed, other, proposal = first, index, number - 1
        elif number + 1 in numbers:
            proposal = 0
        week = weeks[blamed]
        settled[blamed] = findings.decide(
            Problem(
                week.line,
                f"row{week.row}.week",
                week.label,
                f"week {number} is also on line {weeks[other].line}",
                proposal=str(proposal) if proposal else "",
                remedy="delete the row that is there twice, or number the weeks anew",
                column=week.date_cell.column,
            ),
            read_number,
        )
        if (
            settled[blamed] is not None
            and settled[blamed] in settled[:blamed] + settled[blamed + 1 :]
        ):
            findings.report(
                Problem(
                    week.line,
                    f"row{week.row}.week",
                    f"--choose row{week.row}.week={settled[blamed]}",
                    "another row has this number",
                    remedy="choose a number that is free",
                )
            )
    return settled


def check_order(
    weeks: Sequence[RawWeek], numbers: Sequence[int | None], findings: Findings
) -> None:
    """Report numbers that go back, and numbers that are left out."""
    previous: int | None = None
    unnumbered = 0  # rows since `previous` whose own number is a problem already
    for week, number in zip(weeks, numbers, strict=True):
        if number is None:
            unnumbered += 1
            continue
        if previous is None:
            missing = list(range(1, number - unnumbered))
        elif number < previous:
            findings.report(
                Problem(
                    week.line,
                    f"row{week.row}.week",
                    week.label,
                    f"week {number} stands after week {previous}",
                    remedy="put the rows into the order of their weeks",
                    column=week.date_cell.column,
                )
            )
            continue
        else:
            missing = list(range(previous + 1, number - unnumbered))
        for absent in [absent for absent in missing if absent not in numbers][:5]:
            findings.decide(
                Problem(
                    week.line,
                    f"week{absent}",
                    week.label,
                    f"week {absent} is missing before week {number}",
                    remedy=f"add its row, or choose week{absent}=none to go without it",
                    column=week.date_cell.column,
                ),
                read_none,
            )
        previous, unnumbered = number, 0


def read_none(value: str) -> bool:
    if value.lower() not in {"none", "-"}:
        raise ValueError("the only choice here is none")
    return True
