"""Whether the days of the homeworks can be: each exists, lies in the course, and due follows release."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

from campus.schedule.page.dates import make_date, read_chosen_date
from campus.schedule.page.homework import RawDate, RawHomework
from campus.schedule.page.problems import Findings, Problem
from campus.schedule.page.shapes import PageHomework
from campus.schedule.page.term import Term

DAYS_BEFORE_COURSE = timedelta(days=45)
DAYS_AFTER_COURSE = timedelta(days=60)


def read_homeworks(
    rows: Sequence[RawHomework],
    term: Term,
    course_days: Sequence[date],
    findings: Findings,
) -> tuple[PageHomework, ...]:
    """The homeworks with their dates settled and checked against each other and the course's days."""
    homeworks = []
    for row in rows:
        release = settle(row, "release", row.release, term, course_days, findings)
        due = settle(row, "due", row.due, term, course_days, findings)
        if release is not None and due is not None and release > due:
            due = release_after_due(row, release, due, course_days, findings)
        homeworks.append(
            PageHomework(
                line=row.line,
                key=row.key,
                title=row.title,
                release=release,
                due=due,
                due_time=row.due.time,
                released=row.release.ticked,
                url=row.url,
            )
        )
    check_numbers(rows, findings)
    return tuple(homeworks)


def settle(
    row: RawHomework,
    name: str,
    raw: RawDate,
    term: Term,
    course_days: Sequence[date],
    findings: Findings,
) -> date | None:
    """The day of one cell; None if it is open or was reported."""
    field = f"{row.key}.{name}"
    if raw.open:
        findings.note(row.line, field, raw.cell.text, "not decided yet, imported without a date")
        return None
    if raw.token is None:
        return findings.decide(
            Problem(
                row.line,
                field,
                raw.cell.text,
                raw.complaint,
                remedy="write one day as 2025/04/30, or TBD",
                column=raw.cell.column,
            ),
            read_chosen_date,
        )
    month = raw.token.month or raw.token.first or 1
    problems_before, answered = len(findings.problems), field in findings.answered
    day = make_date(
        raw.token,
        line=row.line,
        field=field,
        order=term.order,
        years=term.years,
        year=term.year_of_month(month),
        findings=findings,
    )
    if day is None or len(findings.problems) > problems_before or answered or not course_days:
        return day
    first, last = min(course_days) - DAYS_BEFORE_COURSE, max(course_days) + DAYS_AFTER_COURSE
    if first <= day <= last:
        return day
    return findings.decide(
        Problem(
            row.line,
            field,
            raw.token.text,
            f"the course runs from {min(course_days)} to {max(course_days)}",
            proposal=min(max(day, min(course_days)), max(course_days)).isoformat(),
            column=raw.token.column,
        ),
        read_chosen_date,
    )


def release_after_due(
    row: RawHomework,
    release: date,
    due: date,
    course_days: Sequence[date],
    findings: Findings,
) -> date | None:
    """Report a release after the due date; a later due date may be chosen."""
    return findings.decide(
        Problem(
            row.line,
            f"{row.key}.due",
            row.due.cell.text,
            f"due on {due}, before its release on {release}",
            proposal=later_due(release, due, course_days).isoformat(),
            column=row.due.cell.column,
        ),
        lambda chosen: due_not_before(release, chosen),
    )


def later_due(release: date, due: date, course_days: Sequence[date]) -> date:
    """A due date that a slip of the finger explains: a month too early, else a week after release."""
    month, year = due.month % 12 + 1, due.year + (due.month == 12)
    try:
        slipped = date(year, month, due.day)
    except ValueError:
        slipped = release
    if release < slipped <= release + timedelta(days=31):
        return slipped
    return release + timedelta(days=7)


def due_not_before(release: date, chosen: str) -> date:
    day = read_chosen_date(chosen)
    if day < release:
        raise ValueError(f"{day} is before the release on {release}")
    return day


def check_numbers(rows: Sequence[RawHomework], findings: Findings) -> None:
    """Homework 3 without a homework 2 is a row that got lost; one that is reported was not."""
    reported = {problem.field for problem in findings.problems}
    numbered: dict[str, list[tuple[int, RawHomework]]] = {}
    for row in rows:
        if match := re.fullmatch(r"([a-z-]+?)(\d+)", row.key):
            numbered.setdefault(match.group(1), []).append((int(match.group(2)), row))
    for word, found in numbered.items():
        present = {number for number, _ in found}
        absent = sorted(set(range(1, max(present))) - present)
        for missing in [number for number in absent if f"{word}{number}" not in reported][:5]:
            after = min((number, row.line) for number, row in found if number > missing)
            findings.report(
                Problem(
                    after[1],
                    f"{word}{missing}",
                    f"{word}{after[0]}",
                    f"{word} {missing} is missing before {word} {after[0]}",
                    remedy="add its row",
                )
            )
