"""What is read from sound pages of this family, in the forms in which they are written."""

from datetime import date, time
from decimal import Decimal

import pytest

from campus.assignments.models import GradingComponent
from campus.courses.models import TeachingTeamMember
from campus.schedule.models import Meeting
from campus.schedule.page.shapes import MeetingKind, Part, WeightKind
from tests.web.schedule.pages import SOUND, edited, problems, read, titles_of_week

README = """\
<div style="text-align:center">
<a href="https://example.org/"><img src="logo.svg" height="45"></a>

# COMP4901Y 2024 Spring

</div>

<h2 style="text-align: center;"> Large Models and Their Machines </h2>

**Lecturer**: [Ada Example](https://example.org/ada).

**Teaching Assistant**: TBD

## Overview

One paragraph with a [link](https://example.org).

Another paragraph, which is a second one.

## Syllabus

| Date | Topic |
|-----|------|
|W1 01/31 | - Introduction [[Slides]](https://example.org/Lecture%201%20(new).pdf)|
| W2 - 02/05, 02/07  | - Prelude [[Slides](https://example.org/2.pdf)] <br> - PyTorch & Tensors [[Notebook]]() |
|W3 - 02/14| Descent [Slides](https://example.org/3.pdf) |
|W4 \N{EN DASH} 02/19, 02/21 | - Mid-Term Exam :heavy_check_mark: <br> - Spring Festival |
|W5 - 02/26,02/28 | - Presentation Session-1 <br> - Guest Speech (TBD) |
|W6 - 03/11,03/13 | - Final Exam Review |

- [Lecture Record](https://example.org/record).

## Grading Policy
- Course Report (70%):
  - Literature review (50%):
    - Complete. (10%)
    - Right. (40%)
    - Page limits: 4 pages (excluding references).
  - Research plan (20%)
- In-class Presentation (30%), one paper only:
  - Clear. (25%)
  - Feedback for the others. (5%)
  - (The others' feedback determines 70% of the grades for this part.)

## Homework
| Topic | Release |   Due   |
|-------|---------|---------|
|[[Homework1]](https://example.org/hw1)|2024-02-26 :heavy_check_mark:| 2024-03-18 23:00 :heavy_check_mark:|
|[[Homework2]]|TBD| TBD|

## Topics for Literature Review:
- [Topics](https://example.org/topics.md).
"""


def test_a_page_without_headings_is_read_whole() -> None:
    reading = read(SOUND)
    page = reading.page
    assert problems(reading) == []
    assert [(person.name, person.part) for person in page.people] == [
        ("Binhang Yuan", Part.LECTURER),
        ("You Peng", Part.ASSISTANT),
        ("Yukun Zhou", Part.ASSISTANT),
        ("Yuxuan Li", Part.ASSISTANT),
    ]
    assert page.overview.startswith("This paragraph says what the course is about")
    assert [week.number for week in page.weeks] == list(range(1, 15))
    assert page.weeks[7].dates == (date(2025, 3, 25), date(2025, 3, 27))
    assert page.weeks[12].dates == (date(2025, 4, 29),)
    assert [(w.title, w.count, w.percent) for w in page.weights] == [
        ("Homework", 4, Decimal(20)),
        ("Mid-term exam", 1, Decimal(30)),
        ("Final exam", 1, Decimal(50)),
    ]
    assert [w.line for w in page.weights] == [20, 21, 22]
    assert [(h.key, h.title, h.release, h.due, h.released) for h in page.homeworks] == [
        ("homework1", "Homework 1", date(2025, 2, 13), date(2025, 2, 22), True),
        ("homework2", "Homework 2", date(2025, 3, 4), date(2025, 3, 12), False),
        ("homework3", "Homework 3", date(2025, 3, 20), date(2025, 4, 1), False),
        ("homework4", "Homework 4", date(2025, 4, 22), date(2025, 4, 30), False),
    ]


def test_two_topics_of_two_dates_get_one_date_each_and_a_break_gets_both() -> None:
    weeks = read(SOUND).page.weeks
    assert [(m.title, m.date, m.last_date) for m in weeks[4].meetings] == [
        ("Data-, Pipeline- Parallel Training", date(2025, 3, 4), None),
        ("Tensor Model-, Optimizer- Parallel Training", date(2025, 3, 6), None),
    ]
    (spring_break,) = weeks[8].meetings
    assert spring_break.kind is MeetingKind.BREAK
    assert (spring_break.date, spring_break.last_date) == (date(2025, 4, 1), date(2025, 4, 3))


def test_resources_are_told_from_topics() -> None:
    meetings = read(SOUND).page.weeks[1].meetings
    assert [(m.title, [r.label for r in m.resources]) for m in meetings] == [
        ("Stochastic Gradient Descent", ["Slides", "Notebook"]),
        ("Automatic Differentiation", ["Slides", "Notebook"]),
    ]


def test_a_readme_with_headings_links_and_nested_grading_is_read_whole() -> None:
    reading = read(README, year=2024)
    page = reading.page
    assert problems(reading) == []
    assert (page.code, page.title) == ("COMP4901Y", "Large Models and Their Machines")
    assert page.overview == (
        "One paragraph with a [link](https://example.org).\n\nAnother paragraph, which is a second one."
    )
    assert [(person.name, person.part) for person in page.people] == [
        ("Ada Example", Part.LECTURER)
    ]
    assert [
        [(m.title, m.kind.value, [(r.label, r.url) for r in m.resources]) for m in week.meetings]
        for week in page.weeks
    ] == [
        [("Introduction", "lecture", [("Slides", "https://example.org/Lecture%201%20(new).pdf")])],
        [
            ("Prelude", "lecture", [("Slides", "https://example.org/2.pdf")]),
            ("PyTorch", "lecture", []),
            ("Tensors", "lecture", [("Notebook", "")]),
        ],
        [("Descent", "lecture", [("Slides", "https://example.org/3.pdf")])],
        [("Mid-Term Exam", "exam", []), ("Spring Festival", "break", [])],
        [("Presentation Session-1", "other", []), ("Guest Speech (TBD)", "guest", [])],
        [("Final Exam Review", "review", [])],
    ]
    assert [(w.title, w.percent, len(w.parts)) for w in page.weights] == [
        ("Course Report", Decimal(70), 2),
        ("In-class Presentation", Decimal(30), 2),
    ]
    first, second = page.homeworks
    assert (first.release, first.due, first.due_time) == (
        date(2024, 2, 26),
        date(2024, 3, 18),
        time(23, 0),
    )
    assert first.released
    assert first.url == "https://example.org/hw1"
    assert (second.release, second.due, second.released) == (None, None, False)
    noted = {note.field for note in reading.findings.notes}
    assert noted == {"assistant", "page", "homework2.release", "homework2.due"}


def test_grading_that_lost_its_indentation_is_nested_by_its_sums() -> None:
    flat = "\n".join(line.strip() for line in README.split("\n"))
    assert [(w.title, len(w.parts)) for w in read(flat, year=2024).page.weights] == [
        ("Course Report", 2),
        ("In-class Presentation", 2),
    ]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("- 4 Homework (4 × 5% = 20%)\n- Exam (80%)", [("Homework", 4, 20), ("Exam", 1, 80)]),
        ("- Homework: 40%\n- Final: 60%", [("Homework", 1, 40), ("Final", 1, 60)]),
        ("- 40% Project\n- 60% Final exam", [("Project", 1, 40), ("Final exam", 1, 60)]),
        ("* Four homeworks, 10% each (40%)\n* Exam: 60 %", [("homeworks", 4, 40), ("Exam", 1, 60)]),
        (
            "1. Labs (12.5%)\n2. Exam (87.5%)",
            [("Labs", 1, Decimal("12.5")), ("Exam", 1, Decimal("87.5"))],
        ),
        (
            "- 4 Homework ($4 \\times 5\\% = 20\\%$)\n- Exam (80\\%)",
            [("Homework", 4, 20), ("Exam", 1, 80)],
        ),
        ("- **Homework** (5% × 4)\n- **Exam** (80%)", [("Homework", 4, 20), ("Exam", 1, 80)]),
        ("- Exam (100%)\n- Bonus (5%)", [("Exam", 1, 100), ("Bonus", 1, 5)]),
        (
            "Component | Weight |\n---|---|\nHomework | 40% |\nExam | 60 |\nTotal | 100% |",
            [("Homework", 1, 40), ("Exam", 1, 60)],
        ),
    ],
)
def test_weights_are_read_however_they_are_written(
    lines: str, expected: list[tuple[str, int, int]]
) -> None:
    page = "Lecturer: A B\n\nDate | Topic |\n---|---|\nW1-02/13 | Start |\n\n## Grading\n\n" + lines
    reading = read(page, homework__count="0")
    assert [(w.title, w.count, w.percent) for w in reading.page.weights] == expected
    assert not [p for p in reading.findings.problems if p.field.startswith("weights")]


@pytest.mark.parametrize(
    "line",
    [
        "**Lecturer:** Ada Example and Bob Example",
        "Instructors: [Ada Example](https://example.org), [Bob Example](mailto:b@example.org)",
        "**Professor** - Ada Example (room 1), Bob Example",
        "Lecturer(s): Ada Example; Bob Example <bob@example.org>",
    ],
)
def test_people_are_read_however_they_are_written(line: str) -> None:
    reading = read(edited(("Lecturer: Binhang Yuan.", line)))
    names = [person.name for person in reading.page.people if person.part is Part.LECTURER]
    assert names == ["Ada Example", "Bob Example"]


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Spring Break", "break"),
        ("Reading Week", "break"),
        ("Public holiday", "break"),
        ("No class", "break"),
        ("Lunar New Year", "break"),
        ("Break-even analysis", "lecture"),
        ("Mid-Term Exam", "exam"),
        ("Midterm", "exam"),
        ("Quiz 2", "exam"),
        ("Final Examination", "exam"),
        ("Test-Time Scaling", "lecture"),
        ("Mid-Term Review", "review"),
        ("Course Review", "review"),
        ("Literature Review", "lecture"),
        ("Guest Lecture: Serving", "guest"),
        ("Invited talk", "guest"),
        ("Presentation Sessions", "other"),
        ("Final Project Presentations", "other"),
        ("Tutorial 3", "other"),
        ("LLM Evaluation", "lecture"),
    ],
)
def test_the_title_says_what_kind_of_meeting_it_is(title: str, kind: str) -> None:
    reading = read(edited(("LLM Evaluation", title)))
    assert [m.kind for m in reading.page.weeks[12].meetings] == [kind]


def test_tables_may_have_columns_of_their_own_for_week_and_slides() -> None:
    page = edited(
        ("Date | Topic |\n---|---|", "Week | Date | Topic | Slides |\n---|---|---|---|"),
    )
    for number in range(1, 15):
        page = page.replace(f"\nW{number}-", f"\n{number} | ").replace(
            f"\nW{number}\N{EN DASH}", f"\n{number} | "
        )
    page = page.replace("LLM Evaluation |", "LLM Evaluation | [pdf](https://example.org/13.pdf) |")
    page = page.replace(
        "RL Alignment |", "RL Alignment | [1](https://a.org/1) [2](https://a.org/2) |"
    )
    page = page.replace(" |\n", " | |\n").replace("pdf) | |", "pdf) |").replace("/2) | |", "/2) |")
    page = page.replace("Due | |", "Due |").replace("Slides | |", "Slides |")
    page = page.replace("2025/02/22 | |", "2025/02/22 |").replace("2025/03/12 | |", "2025/03/12 |")
    page = page.replace("2025/04/01 | |", "2025/04/01 |")
    reading = read(page)
    assert problems(reading) == []
    assert titles_of_week(reading, 8)[0] == "Inference Algorithm Optimizations"
    assert [r.url for m in reading.page.weeks[12].meetings for r in m.resources] == [
        "https://example.org/13.pdf"
    ]
    assert [[r.url for r in m.resources] for m in reading.page.weeks[11].meetings] == [
        ["https://a.org/1"],
        ["https://a.org/2"],
    ]


def test_the_words_of_the_reader_are_those_of_the_database() -> None:
    assert {kind.value for kind in MeetingKind} == set(Meeting.Kind.values)
    assert {kind.value for kind in WeightKind} == set(GradingComponent.Kind.values)
    assert {part.value for part in Part} == set(TeachingTeamMember.Part.values)
