"""One cell at a time: how topics are cut, how dates are written, which day comes first."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campus.schedule.page.dates import Order, month_and_day, scan_dates, why_impossible
from tests.web.schedule.pages import (
    dates_of_week,
    problems,
    read,
    titles_of_week,
    with_cell,
    with_dates,
)


@pytest.mark.parametrize(
    ("cell", "titles"),
    [
        ("A & B", ["A", "B"]),
        ("A &amp; B", ["A", "B"]),
        ("A ＆ B", ["A", "B"]),
        ("A<br>B<BR/>C<br />D", ["A", "B", "C", "D"]),
        ("- A <br> - B", ["A", "B"]),
        ("1. A <br> 2. B", ["A", "B"]),
        ("- A [Slides] - B [Notebook]", ["A", "B"]),
        ("- A - B", ["A", "B"]),
        ("A [Slides]&B", ["A", "B"]),
        ("AT&T & Q&A", ["AT&T", "Q&A"]),
        ("Q & A & R & D", ["Q & A", "R & D"]),
        ("Training (DP & PP) & Serving", ["Training (DP & PP)", "Serving"]),
        ("Data-, Pipeline- Parallel & Tensor Model-, Optimizer- Parallel", ["Data-, Pipeline- Parallel", "Tensor Model-, Optimizer- Parallel"]),
        (r"A \| B & C", ["A | B", "C"]),
        (r"A \& B", ["A & B"]),
        ("`torch.compile` & **B** & _C_", ["torch.compile", "B", "C"]),
        ("snake_case & 2 * 3 * 4", ["snake_case", "2 * 3 * 4"]),
        ("A ✔️ & B :white_check_mark: & C [x]", ["A", "B", "C"]),
        ("~~A~~ & B", ["B"]),
        ("[A](https://example.org/a|b) & B", ["A", "B"]),
        ("A https://example.org/x & B", ["A", "B"]),
        ("x < y & z > w", ["x < y", "z > w"]),
        ("A &lt;b&gt; B", ["A <b> B"]),
        ("A\u200b\u00a0&\u00a0B\u202e", ["A", "B"]),
    ],
)  # fmt: skip
def test_topics_are_cut_where_the_author_meant_it(cell: str, titles: list[str]) -> None:
    reading = read(with_cell(cell))
    assert problems(reading) == []
    assert titles_of_week(reading, 5) == titles


@pytest.mark.parametrize(
    ("cell", "resources"),
    [
        ("A [Slides]", [("Slides", "")]),
        ("A [[Slides]]", [("Slides", "")]),
        ("A [[Slides]]()", [("Slides", "")]),
        ("A [Slides](https://e.org/a)", [("Slides", "https://e.org/a")]),
        ("A [[Slides]](https://e.org/a)", [("Slides", "https://e.org/a")]),
        ("A [[Slides](https://e.org/a)]", [("Slides", "https://e.org/a")]),
        ("A [[Slides](https://e.org/a)", [("Slides", "https://e.org/a")]),
        ("A [[Slides]](https://e.org/a_(b))", [("Slides", "https://e.org/a_(b)")]),
        ("A [[Slides]](https://e.org/?a=1&amp;b=2)", [("Slides", "https://e.org/?a=1&b=2")]),
        ('A [Slides](https://e.org/a "the title")', [("Slides", "https://e.org/a")]),
        ("A [Slides](Lecture 1.pdf)", [("Slides", "Lecture%201.pdf")]),
        ("A [Slides] [Video](https://e.org/v) [Reading: X & Y]", [("Slides", ""), ("Video", "https://e.org/v"), ("Reading: X & Y", "")]),
        ("A <https://e.org/x>", [("Link", "https://e.org/x")]),
        ("[A](https://e.org/a)", [("A", "https://e.org/a")]),
        ("A [optional]", []),
    ],
)  # fmt: skip
def test_resources_are_read_in_all_their_spellings(
    cell: str, resources: list[tuple[str, str]]
) -> None:
    reading = read(with_cell(cell))
    assert problems(reading) == []
    (meeting,) = reading.page.weeks[4].meetings
    assert [(resource.label, resource.url) for resource in meeting.resources] == resources


@pytest.mark.parametrize(
    "cell",
    [
        *["W5-03/04,03/06", "W5 - 03/04, 03/06", "W5 \N{EM DASH} 03/04;03/06", "W5: 03/04 & 03/06"],
        *["W05 03/04 and 03/06", "Week 5 (03/04, 03/06)", "week5. 3/4, 3/6", "Wk 5 - 03.04, 03.06"],
        *["W5-03-04,03-06", "W5 - 03\N{NON-BREAKING HYPHEN}04, 03\N{NON-BREAKING HYPHEN}06"],
        *[
            "W5\N{FIGURE DASH}03\N{MINUS SIGN}04,03\N{MINUS SIGN}06",
            "**W5** - 03/04,03/06",
            "`W5` 03/04,03/06",
        ],
        *["W5 - Mar 4, Mar 6", "W5 - 4 March, 6 March", "W5 - March 4th, March 6th"],
        *[
            "W5 - 2025/03/04, 2025/03/06",
            "W5 - 2025-03-04; 2025-03-06",
            "W5 - 03/04/2025, 03/06/25",
        ],
        *["W5 - Tue 03/04, Thu 03/06", "W5 - 03/04 (Tue), 03/06 (Thu)", "W5-Tue-03/04,Thu-03/06"],
        *[
            "第5周 3月4日、3月6日",
            "Ｗ５－０３／０４，０３／０６",
            "W5-03/04\u00a0,\t03/06 ✔",
            "5: 03/04,03/06",
        ],
    ],
)
def test_dates_are_read_however_they_are_written(cell: str) -> None:
    reading = read(with_dates(cell))
    assert problems(reading) == []
    assert dates_of_week(reading, 5) == [date(2025, 3, 4), date(2025, 3, 6)]


def syllabus(*cells: str) -> str:
    rows = "\n".join(f"W{n}-{cell} | A |" for n, cell in enumerate(cells, 1))
    return f"Lecturer: A B\n\nDate | Topic |\n---|---|\n{rows}\n\n- Exam (100%)\n"


def test_day_first_is_inferred_from_a_number_above_twelve() -> None:
    reading = read(syllabus("04/02,06/02", "11/02,13/02"))
    assert problems(reading) == []
    assert dates_of_week(reading, 1) == [date(2025, 2, 4), date(2025, 2, 6)]


def test_day_first_is_inferred_from_the_order_of_the_weeks() -> None:
    reading = read(syllabus("01/03", "08/03"))
    assert dates_of_week(reading, 2) == [date(2025, 3, 8)]


def test_what_cannot_be_told_is_asked() -> None:
    page = syllabus("03/03", "04/04", "05/05")
    ((line, field, sentence),) = [p for p in problems(read(page)) if p[1] == "dates.order"]
    assert (line, field) == (5, "dates.order")
    assert sentence.endswith("did you mean month-first?")
    chosen = read(page, dates__order="day-first")
    assert "dates.order" not in [name for _, name, _ in problems(chosen)]


def test_a_course_over_new_year_goes_on_in_the_next_year() -> None:
    reading = read(syllabus("12/16", "12/23", "12/30", "01/06", "01/13"), year=2024)
    assert problems(reading) == []
    assert dates_of_week(reading, 4) == [date(2025, 1, 6)]


@given(st.dates(date(1999, 1, 1), date(2099, 12, 31)), st.sampled_from("/-.–−"), st.booleans())
def test_every_date_survives_being_written_down(day: date, sign: str, padded: bool) -> None:
    month, number = (
        (f"{day.month:02}", f"{day.day:02}") if padded else (str(day.month), str(day.day))
    )
    (token,) = scan_dates(f"{day.year}{sign}{month}{sign}{number}", 1).tokens
    assert (token.year, token.month, token.day) == (day.year, day.month, day.day)
    (token,) = scan_dates(f"{number}{sign}{month}", 1).tokens
    assert month_and_day(token, Order.DAY_FIRST) == (day.month, day.day)


@given(st.integers(1900, 2100), st.integers(0, 99), st.integers(0, 99))
def test_an_impossible_date_always_comes_with_one_that_exists(
    year: int, month: int, day: int
) -> None:
    impossible = why_impossible(year, month, day)
    if impossible is None:
        date(year, month, day)  # raises if it was wrong to call this possible
    else:
        assert impossible[1] - timedelta(days=1) < impossible[1]
