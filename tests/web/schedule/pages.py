"""A course page in the form in which a converter writes it: no headings, no leading pipes, `$\\times$` on a
line of its own, another dash in W8, and a date that April does not have.
"""

from datetime import date

from campus.schedule.page import Reading, read_page

PAGE = """\
Lecturer: Binhang Yuan.
Teaching Assistant: You Peng, Yukun Zhou, Yuxuan Li.
This paragraph says what the course is about, in words that were made up for the tests of this project.
Date | Topic |
---|---|
W1-02/04,02/06 | Introduction and Logistics [Slides] & ML Preliminary [Slides] [Notebook] |
W2-02/11,02/13 | Stochastic Gradient Descent [Slides] [Notebook] & Automatic Differentiation [Slides] [Notebook] |
W3-02/18,02/20 | Language Model Architecture [Slides] & Large Scale Pretrain Overview [Slides] |
W4-02/25,02/27 | Nvidia GPU Performance & Collective Communication Library |
W5-03/04,03/06 | Data-, Pipeline- Parallel Training & Tensor Model-, Optimizer- Parallel Training |
W6-03/11,03/13 | Sequence-, MoE- parallelism & Mid-Term Review |
W7-03/18,03/20 | Mid-Term Exam & Generative Inference |
W8\N{EN DASH}03/25,03/27 | Inference Algorithm Optimizations & Inference System Optimizations |
W9-04/01,04/03 | Spring Break |
W10-04/08,04/10 | Prompt Engineering & Inference Scaling |
W11-04/15,04/17 | RAG & LLM Agent |
W12-04/22,04/24 | Parameter Efficient Fine-Tuning & RL Alignment |
W13-04/29 | LLM Evaluation |
W14-05/06,05/08 | Guest Speech & Final Review |
- 4 Homework (4
$\\times$ 5%$=$ 20%); - Mid-term exam (30%);
- Final exam (50%).
Topic | Release | Due |
---|---|---|
Homework1 | 2025/02/13 \N{HEAVY CHECK MARK}\N{VARIATION SELECTOR-16} | 2025/02/22 |
Homework2 | 2025/03/04 | 2025/03/12 |
Homework3 | 2025/03/20 | 2025/04/01 |
Homework4 | 2025/04/22 | 2025/04/31"""
IMPOSSIBLE = "2025/04/31"
SOUND = PAGE.replace(IMPOSSIBLE, "2025/04/30")
W5_TOPICS = "Data-, Pipeline- Parallel Training & Tensor Model-, Optimizer- Parallel Training"


def edited(*edits: tuple[str, str], page: str = SOUND) -> str:
    """The page with pieces replaced; a piece that is not there is a mistake of the test."""
    for old, new in edits:
        assert old in page, old
        page = page.replace(old, new, 1)
    return page


def line_of(fragment: str, page: str) -> int:
    """The number of the first line with this in it, from 1."""
    return next(n for n, line in enumerate(page.split("\n"), 1) if fragment in line)


def read(page: str, *, year: int = 2025, **choices: str) -> Reading:
    """Read a text; choices as `homework4__due="2025-04-30"`."""
    chosen = {name.replace("__", "."): value for name, value in choices.items()}
    return read_page(page.encode(), year=year, choices=chosen)


def with_cell(cell: str) -> str:
    """The page with another text as the topics of week 5."""
    return edited((W5_TOPICS, cell))


def with_dates(cell: str) -> str:
    """The page with another text as the label and dates of week 5."""
    return edited(("W5-03/04,03/06", cell))


def problems(reading: Reading) -> list[tuple[int, str, str]]:
    """Line, field and sentence of each problem."""
    return [(p.line, p.field, str(p)) for p in reading.findings.sorted_problems()]


def dates_of_week(reading: Reading, number: int) -> list[date]:
    return [day for week in reading.page.weeks if week.number == number for day in week.dates]


def titles_of_week(reading: Reading, number: int) -> list[str]:
    return [
        meeting.title
        for week in reading.page.weeks
        if week.number == number
        for meeting in week.meetings
    ]
