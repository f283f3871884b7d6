"""Every problem has its line, its field, a sentence and, where one value would mend it, that value."""

from dataclasses import dataclass

import pytest

from tests.web.schedule.pages import (
    IMPOSSIBLE,
    PAGE,
    SOUND,
    W5_TOPICS,
    dates_of_week,
    edited,
    line_of,
    problems,
    read,
    with_cell,
    with_dates,
)


@dataclass(frozen=True)
class Case:
    """A page that is wrong in one way."""

    name: str
    page: str
    at: str  # a piece of the line to blame; empty: line 1
    field: str
    says: str
    proposal: str = ""
    year: int = 2025

    def __str__(self) -> str:
        return self.name


def without(*beginnings: str) -> str:
    return "\n".join(line for line in SOUND.split("\n") if not line.startswith(beginnings))


CASES = [
    # dates that do not exist
    Case("april 31", PAGE, IMPOSSIBLE, "homework4.due", "2025/04/31: April has 30 days", "2025-04-30"),
    Case("february 30", edited(("2025/02/22", "2025/02/30")), "2025/02/30", "homework1.due", "February 2025 has 28 days", "2025-02-28"),
    Case("month 13", edited(("2025/03/12", "2025/13/03")), "2025/13/03", "homework2.due", "there is no month 13", "2025-03-13"),
    Case("day 0", edited(("2025/03/04 |", "2025/03/00 |")), "2025/03/00", "homework2.release", "days count from 1", "2025-03-01"),
    Case("meeting that does not exist", edited(("W13-04/29", "W13-04/31")), "W13", "week13.date1", "April has 30 days", "2025-04-29"),
    Case("digits swapped", edited(("03/27 |", "03/72 |")), "03/72", "week8.date2", "March has 31 days", "2025-03-27"),
    # dates that cannot be here
    Case("release after due", edited(("2025/03/04 |", "2025/03/14 |")), "Homework2", "homework2.due", "due on 2025-03-12, before its release on 2025-03-14", "2025-04-12"),
    Case("homework of another year", edited(("2025/03/04 |", "2024/03/04 |")), "Homework2", "homework2.release", "the course is in 2025, not in 2024", "2025-03-04"),
    Case("homework long after the course", edited(("2025/04/30", "2025/12/30")), "2025/12/30", "homework4.due", "the course runs from 2025-02-04 to 2025-05-08", "2025-05-08"),
    Case("meeting of another year", edited(("W13-04/29", "W13-2024/04/29")), "W13", "week13.date1", "not in 2024", "2025-04-29"),
    Case("a sunday", with_dates("W5-03/04,03/09"), "03/09", "week5.date2", "a Sunday, while the course meets on Tuesday or Thursday", "2025-03-06"),
    Case("another weekday", with_dates("W5-03/04,03/07"), "03/07", "week5.date2", "a Friday, while", "2025-03-06"),
    Case("a weekday that is not the date's", edited(("W13-04/29", "W13-Wed 04/29")), "W13", "week13.date1", "2025-04-29 is a Tuesday, not a Wednesday", "2025-04-29"),
    Case("a homework's weekday that is not the date's", edited(("2025/02/22", "Sun 2025/02/22")), "Homework1", "homework1.due", "2025-02-22 is a Saturday, not a Sunday", "2025-02-23"),
    Case("date twice in a week", with_dates("W5-03/04,03/04"), "W5", "week5.date2", "2025-03-04 is there twice", "2025-03-06"),
    Case("date of another week", with_dates("W5-03/04,03/13"), "W5", "week5.date2", "is there twice, also on line 11", "2025-03-06"),
    Case("date a week off", edited(("05/06,05/08", "05/06,05/15")), "W14", "week14.date2", "9 days from 2025-05-06 of the same week", "2025-05-08"),
    Case("first week a month off", edited(("W1-02/04,02/06", "W1-01/04,02/06")), "W1-", "week1.date1", "33 days from", "2025-02-04"),
    Case("last week a month off", edited(("W14-05/06,05/08", "W14-06/03,06/05")), "W14", "week14.date1", "35 days after 2025-04-29", "2025-05-06"),
    Case("dates in the wrong order", with_dates("W5-03/06,03/04"), "W5", "week5.dates", "not in order", "2025-03-04,2025-03-06"),
    Case("a range", with_dates("W5-03/04-03/06"), "W5", "week5.dates", "a range does not say", "2025-03-04,2025-03-06"),
    Case("a day without its month", with_dates("W5-03/04, 06"), "W5", "week5.dates", "“06” is not a date", "2025-03-04,2025-03-06"),
    Case("dates not decided", edited(("W13-04/29", "W13-TBD")), "W13", "week13.dates", "not decided yet", "2025-04-29,2025-05-01"),
    Case("no dates", edited(("W13-04/29", "W13")), "W13", "week13.dates", "no date stands here", "2025-04-29,2025-05-01"),
    Case("words instead of dates", edited(("W13-04/29", "W13-soon")), "W13", "week13.dates", "this is not a date", "2025-04-29,2025-05-01"),
    Case("two dates as due", edited(("2025/03/12", "2025/03/12, 2025/03/13")), "Homework2", "homework2.due", "more than one date"),
    Case("words as due", edited(("2025/03/12", "next week")), "Homework2", "homework2.due", "this is not a date"),
    Case("nothing as due", edited(("2025/03/12", "")), "Homework2", "homework2.due", "no date stands here"),
    Case("no such time", edited(("2025/03/12", "2025/03/12 25:00")), "Homework2", "homework2.due", "“25:00” is not a time"),
    # numbers of weeks
    Case("duplicate week", edited(("W6-", "W5-")), "03/11,03/13", "row6.week", "week 5 is also on line 10", "6"),
    Case("duplicate of the next week", edited(("W6-", "W7-")), "03/11,03/13", "row6.week", "week 7 is also on line 12", "6"),
    Case("a row that is there twice", edited(("\nW6-", "\nW5-03/04, 03/06 | Again |\nW6-")), "03/04, 03/06", "row6.week", "week 5 is also on line 10"),
    Case("gap", without("W6"), "W7", "week6", "week 6 is missing before week 7"),
    Case("weeks in the wrong order", edited(("W5-", "WX-"), ("W6-", "W5-"), ("WX-", "W6-")), "03/11,03/13", "row6.week", "week 5 stands after week 6"),
    Case("no label", edited(("W6-03/11", "03/11")), "03/11,03/13", "row6.week", "no number of a week", "6"),
    Case("no such week", edited(("W6-", "W600-")), "W600", "row6.week", "week 600 of a course cannot be", "6"),
    # tables
    Case("row that lost its topic", edited((f" | {W5_TOPICS}", "")), "W5", "week5.topics", "this row has 1 cell, the header has 2"),
    Case("row that lost a pipe", edited(("03/06 | Data-", "03/06 Data-")), "W5", "week5.topics", "this row has 1 cell"),
    Case("row that lost its dates", edited(("W5-03/04,03/06 | ", "")), "Data-", "row5", "this row has 1 cell"),
    Case("row with a pipe too many", with_cell("A | B"), "W5", "week5", "this row has 3 cells, the header has 2"),
    Case("homework row that lost a cell", edited((" | 2025/04/01", "")), "Homework3", "homework3", "this row has 2 cells, the header has 3"),
    Case("homework header that lost a column", edited(("Release | Due |", "Release |")), "Topic | Release", "homework", "the header has 2 cells, but every row has at least 3"),
    Case("homework delimiter that lost a column", edited(("Due |\n---|---|---|", "Due |\n----|----|")), "----|", "homework", "the line of dashes under it 2"),
    Case("homework without its Due column", edited(("Release | Due |\n---|---|---|", "Release |\n---|---|"), (" | 2025/02/22", ""), (" | 2025/03/12", ""), (" | 2025/04/01", ""), (" | 2025/04/30", "")), "Topic | Release", "homework.due", "no column Due"),
    Case("syllabus header that lost a column", edited(("Date | Topic |\n---|---|", "Date |\n---|")), "Date |", "syllabus", "the header has 1 cell"),
    Case("unknown column", edited(("Date | Topic |", "Date | Tpoic |")), "Tpoic", "syllabus.column2", "does not know", "topic"),
    Case("row outside of its table", edited(("\n- Final exam", "\n\nwords\n\nW15-05/13 | More |\n\n- Final exam")), "W15", "page", "outside of its table"),
    Case("no topic", with_cell(""), "W5", "week5.topics", "no topic stands here"),
    Case("a resource without a topic", with_cell("[Slides]"), "W5", "week5.topics", "no topic stands here"),
    # homework and grading
    Case("duplicate homework", edited(("Homework4 |", "Homework3 |")), "2025/04/22", "homework3", "homework3 is also on line 27"),
    Case("a homework is missing", edited(("Homework4 |", "Homework5 |")), "Homework5", "homework4", "homework 4 is missing before homework 5"),
    Case("fewer homeworks than announced", without("Homework4"), "4 Homework (4", "homework.count", "the grading announces 4, the homework table has 3"),
    Case("no homework table", "\n".join(SOUND.split("\n")[:22]), "4 Homework (4", "homework.count", "the homework table has 0"),
    Case("too little", edited(("(50%)", "(45%)")), "4 Homework", "weights", "add up to 95 %"),
    Case("too much", edited(("(50%)", "(55%)")), "4 Homework", "weights", "add up to 105 %"),
    Case("wrong product", edited(("$=$ 20%", "$=$ 25%")), "4 Homework", "weights.homework", "4 × 5 % is 20 %, not 25 %", "20"),
    Case("wrong factor", edited(("- 4 Homework", "- 5 Homework")), "5 Homework", "weights.homework", "5 of them, but counted 4 times"),
    Case("a range as a weight", edited(("(50%)", "(40-50%)")), "Final exam", "weights.final-exam", "a range is no weight"),
    Case("the same line twice", edited(("- Final exam (50%)", "- Final exam (25%)\n- Final  exam (25%)")), "Final  exam", "weights.final-exam", "is also on line 22"),
    Case("no grading", without("- ", "$"), "", "weights", "no grading weights"),
    # the rest of the page
    Case("no lecturer", without("Lecturer"), "", "lecturer", "names no lecturer"),
    Case("no syllabus", without("W", "Date", "---|---|\n"), "", "syllabus", "no syllabus table"),
    Case("a title of another year", "# COMP4901Y 2024 Spring\n\n" + SOUND, "# COMP", "title.year", "the page says 2024, the import --year 2025"),
    Case("the wrong year", edited(("2025/", ""), ("2025/", ""), ("2025/", ""), ("2025/", ""), ("2025/", ""), ("2025/", ""), ("2025/", ""), ("2025/", "")), "W1-", "year", "in 2024 these dates would fall on", year=2024),
    Case("typing error in a tag", with_cell("A <be> B"), "W5", "week5.topics", "only <br> has a meaning", "A <br> B"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_problem_is_reported_with_its_line_field_and_proposal(case: Case) -> None:
    found = read(case.page, year=case.year).findings.sorted_problems()
    mine = [
        problem for problem in found if problem.field == case.field and case.says in str(problem)
    ]
    assert mine, [str(problem) for problem in found]
    assert mine[0].proposal == case.proposal
    assert mine[0].line == (line_of(case.at, case.page) if case.at else 1)
    if case.proposal:
        assert str(mine[0]).endswith(f"did you mean {case.proposal}?")
    else:
        assert mine[0].remedy


def test_the_sentence_is_the_one_that_the_instructor_reads() -> None:
    assert problems(read(PAGE)) == [
        (28, "homework4.due", "2025/04/31: April has 30 days; did you mean 2025-04-30?")
    ]


def test_everything_is_reported_at_once() -> None:
    page = edited(
        ("Lecturer: Binhang Yuan.\n", ""),
        ("W3-02/18", "W3-02/30"),
        ("W6-", "W5-"),
        (" | RAG & LLM Agent", ""),
        ("(50%)", "(45%)"),
        ("2025/03/04 |", "2025/03/14 |"),
        page=PAGE,
    )
    assert [field for _, field, _ in problems(read(page))] == [
        "lecturer",
        "week3.date1",
        "row6.week",
        "week11.topics",
        "weights",
        "homework2.due",
        "homework4.due",
    ]


@pytest.mark.parametrize("case", [case for case in CASES if case.proposal], ids=str)
def test_taking_the_proposal_answers_the_problem(case: Case) -> None:
    asked = next(
        p for p in read(case.page, year=case.year).findings.problems if p.field == case.field
    )
    if not asked.choosable:
        pytest.fail(f"{asked.field} proposes {asked.proposal!r}, but it cannot be chosen")
    again = read(case.page, year=case.year, **{case.field.replace(".", "__"): case.proposal})
    assert case.field not in [problem.field for problem in again.findings.problems]
    assert again.findings.unused_choices() == []
    assert again.findings.answered == {case.field: case.proposal}


def test_a_choice_that_nothing_asked_for_is_unused() -> None:
    reading = read(SOUND, homework1__due="2025-02-23")
    assert problems(reading) == []
    assert reading.findings.unused_choices() == ["homework1.due"]
    assert not reading.is_sound


def test_an_invalid_choice_is_a_problem_of_its_own() -> None:
    (found,) = read(PAGE, homework4__due="tomorrow").findings.problems
    assert str(found) == (
        "--choose homework4.due=tomorrow: write a date as 2025-04-30; did you mean 2025-04-30?"
    )


def test_a_choice_does_not_hide_the_next_problem_of_its_field() -> None:
    ((_, field, sentence),) = problems(read(PAGE, homework4__due="2025-04-20"))
    assert field == "homework4.due"
    assert "due on 2025-04-20, before its release on 2025-04-22" in sentence


def test_an_unusual_day_can_be_confirmed() -> None:
    page = with_dates("W5-03/04,03/09")
    reading = read(page, week5__date2="2025-03-09")
    assert problems(reading) == []
    assert [str(day) for day in dates_of_week(reading, 5)] == ["2025-03-04", "2025-03-09"]


def test_a_chosen_day_has_to_fit_between_its_neighbours() -> None:
    page = with_dates("W5-03/04,03/09")
    for day in ("2025-04-22", "2025-02-27", "2026-03-06"):
        ((line, field, _),) = problems(read(page, week5__date2=day))
        assert (line, field) == (line_of("W5", page), "week5.dates")
