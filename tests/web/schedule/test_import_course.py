"""Importing: all or nothing, the same twice changes nothing, an edit keeps the rows it is about."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campus.assignments.models import Assignment, GradingComponent
from campus.courses.models import Course, TeachingTeamMember
from campus.schedule.apply import Order, Outcome, import_page
from campus.schedule.apply_grading import end_of_day, start_of_day
from campus.schedule.models import CourseImport, Meeting, Resource, Week
from campus.submissions.models import Draft
from tests.cast import Cast
from tests.web.schedule.pages import PAGE, SOUND, edited

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
SHIPPED = Path(__file__).parents[3] / "course" / "comp4901y-2025.md"


def imported(page: str, *, dry_run: bool = False, course: str = "c", **choices: str) -> Outcome:
    order = Order(
        source=page.encode(),
        course=course,
        year=2025,
        time_zone=HONG_KONG,
        choices={name.replace("__", "."): value for name, value in choices.items()},
    )
    return import_page(order, dry_run=dry_run)


def command(path: Path | str, *arguments: str) -> tuple[int, str]:
    """Exit code and everything printed by manage.py import_course."""
    out = StringIO()
    zone = ("--course", "c", "--year", "2025", "--timezone", "Asia/Hong_Kong")
    try:
        call_command("import_course", str(path), *zone, *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    return 0, out.getvalue()


def rows() -> list[tuple[str, int]]:
    """How many rows of each kind there are, histories included."""
    kinds = [Course, TeachingTeamMember, Week, Meeting, Resource, GradingComponent, Assignment]
    counted = [*kinds, CourseImport, Assignment.history.model]
    return [(kind.__name__, kind._default_manager.count()) for kind in counted]


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


@pytest.mark.django_db
def test_the_shipped_course_is_imported_with_the_choice_that_its_page_needs() -> None:
    zone = ("--course", "comp4901y-2025", "--year", "2025", "--timezone", "Asia/Hong_Kong")
    with pytest.raises(CommandError, match="April has 30 days; did you mean 2025-04-30"):
        call_command("import_course", str(SHIPPED), *zone)
    assert not Course.objects.exists()
    call_command(
        "import_course", str(SHIPPED), *zone, "--choose", "homework4.due=2025-04-30", verbosity=0
    )
    course = Course.objects.get()
    assert (course.code, course.title) == (
        "COMP4901Y",
        "Large-Scale Machine Learning for Foundation Models",
    )
    assert course.published
    assert course.weeks.count() == 14
    assert Meeting.objects.filter(week__course=course).count() == 26
    assert [a.page_key for a in course.assignments.all()] == [f"homework{n}" for n in range(1, 5)]
    homework = course.assignments.get(page_key="homework4")
    assert homework.due_at == datetime(2025, 4, 30, 23, 59, 59, tzinfo=HONG_KONG)
    assert homework.release_at == datetime(2025, 4, 22, 0, 0, tzinfo=HONG_KONG)
    assert homework.component is not None
    assert CourseImport.objects.get().choices == {"homework4.due": "2025-04-30"}


@pytest.mark.django_db
def test_a_page_with_problems_writes_nothing_and_leaves_with_1(page_file: Path) -> None:
    code, printed = command(page_file)
    assert code == 1
    assert (
        "page.md:28:26: homework4.due: 2025/04/31: April has 30 days; did you mean 2025-04-30?"
        in printed
    )
    assert "--choose homework4.due=2025-04-30" in printed
    assert all(count == 0 for _, count in rows())


@pytest.mark.django_db
def test_a_second_import_changes_nothing(page_file: Path) -> None:
    code, printed = command(page_file, "--choose", "homework4.due=2025-04-30")
    assert code == 0
    assert "chosen: homework4.due = 2025-04-30" in printed
    before = rows()
    code, printed = command(page_file, "--choose", "homework4.due=2025-04-30")
    assert (code, printed.splitlines()[-1]) == (0, "nothing to change")
    assert rows() == before


@pytest.mark.django_db
def test_a_second_import_updates_no_row() -> None:
    imported(SOUND)
    with pytest.MonkeyPatch.context() as patch:
        for kind in (Course, TeachingTeamMember, Week, Meeting, Resource, Assignment):
            patch.setattr(kind, "save", lambda *_, **__: pytest.fail("a row was saved"))
        assert imported(SOUND).changes == ()


@pytest.mark.django_db
def test_a_dry_run_shows_what_would_change_and_writes_nothing(page_file: Path) -> None:
    code, printed = command(page_file, "--choose", "homework4.due=2025-04-30", "--dry-run")
    assert code == 0
    assert "+ homework4: released 2025-04-22, due 2025-04-30" in printed
    assert "nothing was written" in printed
    assert all(count == 0 for _, count in rows())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--choose", "homework4.due=2025-04-30", "--choose", "homework1.due=2025-02-23"), "--choose homework1.due: no problem of this page asks for it; fields that can be chosen here: homework4.due"),
        (("--choose", "homework4.due"), "write FIELD=VALUE"),
        (("--choose", "a=1", "--choose", "a=2"), "chosen twice"),
        (("--timezone", "Mars/Base"), "write a name such as Asia/Hong_Kong"),
        (("--year", "20250"), "no course begins in this year"),
        (("--course", "no slug"), "letters, digits and hyphens"),
        (("--author", "nobody"), "there is nobody of this name"),
        (("--links-base", "javascript:x"), "write an address"),
    ],
)  # fmt: skip
def test_a_wrong_call_leaves_with_2(page_file: Path, arguments: tuple[str, ...], says: str) -> None:
    code, printed = command(page_file, *arguments)
    assert code == 2
    assert says in printed
    assert not Course.objects.exists()


@pytest.mark.django_db
def test_a_file_that_is_not_there_leaves_with_2(tmp_path: Path) -> None:
    assert command(tmp_path / "none.md")[0] == 2
    assert command(tmp_path)[0] == 2


@pytest.mark.django_db
def test_an_edit_is_shown_old_to_new_and_keeps_the_rows() -> None:
    imported(SOUND)
    meetings = dict(Meeting.objects.values_list("title", "pk"))
    homeworks = dict(Assignment.objects.values_list("page_key", "pk"))
    page = edited(
        ("RAG & LLM Agent", "LLM Agent & RAG"),
        ("LLM Evaluation", "Evaluating Language Models"),
        ("2025/03/12", "2025/03/13"),
        ("Yuxuan Li", "Li Yuxuan"),
        ("- Final exam (50%)", "- Final exam (40%)\n- Project (10%)"),
        ("Prompt Engineering", "Prompting [[Slides]](https://example.org/p.pdf)"),
    )
    changes = [str(change) for change in imported(page).changes]
    assert "~ homework2 due: 2025-03-12 23:59 HKT → 2025-03-13 23:59 HKT" in changes
    assert (
        "~ week 13 “LLM Evaluation” title: LLM Evaluation → Evaluating Language Models" in changes
    )
    assert "~ week 11 “RAG” day: 2025-04-15 → 2025-04-17" in changes
    assert "+ assistant: Li Yuxuan" in changes
    assert "- assistant: Yuxuan Li" in changes
    assert "~ grading “Final exam” weight in %: 50 → 40" in changes
    assert "+ grading “Project”: 10 %" in changes
    assert "+ week 10 “Prompting” [Slides]: https://example.org/p.pdf" in changes
    after = dict(Meeting.objects.values_list("title", "pk"))
    assert after["RAG"] == meetings["RAG"]
    assert after["Evaluating Language Models"] == meetings["LLM Evaluation"]
    assert after["Prompting"] == meetings["Prompt Engineering"]
    assert dict(Assignment.objects.values_list("page_key", "pk")) == homeworks
    assert imported(page).changes == ()
    assert CourseImport.objects.count() == 2
    assert CourseImport.objects.first().changes == changes


@pytest.mark.django_db
def test_a_topic_that_moves_to_another_week_stays_the_same_row() -> None:
    imported(SOUND)
    agent = Meeting.objects.get(title="LLM Agent").pk
    imported(
        edited(("RAG & LLM Agent", "RAG"), ("| LLM Evaluation", "| LLM Agent & LLM Evaluation"))
    )
    moved = Meeting.objects.get(pk=agent)
    assert (moved.title, moved.week.number, moved.date) == ("LLM Agent", 13, date(2025, 4, 29))


@pytest.mark.django_db
def test_a_week_that_is_gone_takes_its_meetings_along() -> None:
    imported(SOUND)
    page = edited(("W13-04/29 | LLM Evaluation |\n", ""), ("W14-", "W13-"))
    changes = [str(change) for change in imported(page).changes]
    assert "- week 14" in changes
    assert [week.number for week in Week.objects.all()] == list(range(1, 14))
    assert imported(page).changes == ()


@pytest.mark.django_db
def test_an_announced_resource_keeps_the_address_it_was_given() -> None:
    linked = edited(
        (
            "Introduction and Logistics [Slides]",
            "Introduction and Logistics [[Slides]](https://e.org/1)",
        )
    )
    imported(linked)
    imported(SOUND)
    assert (
        Resource.objects.get(meeting__title="Introduction and Logistics").url == "https://e.org/1"
    )
    assert imported(SOUND).changes == ()


@pytest.mark.django_db
def test_a_homework_that_vanished_goes_unless_somebody_worked_on_it(cast: Cast) -> None:
    imported(SOUND, course=cast.course.slug)
    shorter = edited(("\nHomework4 | 2025/04/22 | 2025/04/30", ""))
    worked_on = Assignment.objects.get(course=cast.course, page_key="homework4")
    Draft.objects.create(
        enrolment=cast.enrolment(cast.student), assignment=worked_on, answers={"a": "1"}
    )
    refused = imported(shorter, course=cast.course.slug, homework__count="3")
    assert [(p.field, p.message) for p in refused.problems] == [
        ("homework4", "gone from the page, but students have handed in for it")
    ]
    assert refused.changes == ()
    choices = {"homework__count": "3", "homework4": "keep"}
    kept = imported(shorter, course=cast.course.slug, **choices)
    assert [str(change) for change in kept.changes] == [
        "~ homework4 name on the page: homework4 → (nothing)"
    ]
    assert Draft.objects.count() == 1
    back = imported(SOUND, course=cast.course.slug)
    assert [str(change) for change in back.changes] == [
        "~ homework4 name on the page: (nothing) → homework4"
    ]
    assert Assignment.objects.get(course=cast.course, page_key="homework4").pk == worked_on.pk
    Draft.objects.all().delete()
    gone = imported(shorter, course=cast.course.slug, homework__count="3")
    assert [str(change) for change in gone.changes] == ["- homework4: Homework 4"]


@pytest.mark.django_db
def test_the_labs_of_a_course_are_left_alone(cast: Cast) -> None:
    imported(SOUND, course=cast.course.slug)
    lab = Assignment.objects.get(pk=cast.assignment.pk)
    assert (lab.title, lab.due_at, lab.page_key) == ("A tiny lab", cast.assignment.due_at, "")


@pytest.mark.django_db
def test_a_due_date_after_the_cut_off_is_a_problem_and_not_an_error() -> None:
    imported(SOUND)
    homework = Assignment.objects.get(page_key="homework1")
    homework.cut_off_at = homework.due_at
    homework.save()
    outcome = imported(edited(("2025/02/22", "2025/02/23")))
    assert [(p.line, p.field) for p in outcome.problems] == [(25, "homework1.due")]
    assert Assignment.objects.get(page_key="homework1").due_at == homework.due_at


@pytest.mark.django_db
def test_publishing_is_for_people_to_decide_once_the_course_is_there(page_file: Path) -> None:
    command(page_file, "--choose", "homework4.due=2025-04-30", "--draft")
    assert not Course.objects.get().published
    command(page_file, "--choose", "homework4.due=2025-04-30")
    assert not Course.objects.get().published


@pytest.mark.django_db
def test_relative_links_lead_to_where_the_page_stands(page_file: Path) -> None:
    page_file.write_text(edited(("| RAG", "| RAG [Slides](Lecture 18.pdf)")), encoding="utf-8")
    assert "Lecture%2018.pdf: a relative address" in command(page_file)[1]
    command(page_file, "--links-base", "https://example.org/blob/main/")
    assert (
        Resource.objects.get(meeting__title="RAG").url
        == "https://example.org/blob/main/Lecture%2018.pdf"
    )


@pytest.mark.parametrize(
    "zone",
    ["Asia/Hong_Kong", "Europe/Berlin", "America/Sao_Paulo", "Africa/Cairo", "Australia/Lord_Howe"],
)
@given(day=st.dates(date(2015, 1, 1), date(2030, 12, 31)))
def test_a_day_begins_and_ends_in_its_own_zone(zone: str, day: date) -> None:
    begin, end = start_of_day(day, ZoneInfo(zone)), end_of_day(day, None, ZoneInfo(zone))
    assert begin.astimezone(ZoneInfo(zone)).date() == day
    assert end.astimezone(ZoneInfo(zone)).date() == day
    assert (end + timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() == day + timedelta(days=1)
    assert begin.tzinfo is UTC


def generated_page(weeks: int, titles: list[str], links: list[bool]) -> str:
    begin = date(2025, 2, 4)
    lines = ["Lecturer: A B", "", "Date | Topic |", "---|---|"]
    for number in range(1, weeks + 1):
        day = begin + timedelta(days=7 * (number - 1))
        cell = " & ".join(
            f"{title} [Slides](https://example.org/{number})" if link else title
            for title, link in zip(titles[number % 5 :], links, strict=False)
        )
        lines.append(f"W{number}-{day:%m/%d} | {cell or 'A topic'} |")
    return "\n".join([*lines, "", "- Exam (100%)"])


TITLES = st.lists(
    st.text("abcdefg XYZ-,()", min_size=1, max_size=12).map(lambda t: f"T{t.strip()}"),
    min_size=1,
    max_size=6,
)


@pytest.mark.django_db(transaction=True)
@given(
    pages=st.lists(
        st.tuples(st.integers(1, 9), TITLES, st.lists(st.booleans(), min_size=6, max_size=6)),
        min_size=1,
        max_size=3,
    )
)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_series_of_pages_ends_in_the_state_of_its_last_one(
    pages: list[tuple[int, list[str], list[bool]]],
) -> None:
    Course.objects.all().delete()
    texts = [generated_page(*page) for page in pages]
    if any(imported(text, dry_run=True).problems for text in texts):
        return
    for text in texts:
        imported(text)
        assert imported(text).changes == ()
    by_edits = list(Meeting.objects.values_list("week__number", "position", "title", "date"))
    Course.objects.all().delete()
    imported(texts[-1])
    assert (
        list(Meeting.objects.values_list("week__number", "position", "title", "date")) == by_edits
    )


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_follow_each_other() -> None:
    other = edited(("RAG", "Retrieval"), ("2025/03/12", "2025/03/13"))

    def run(page: str) -> int:
        try:
            return len(imported(page).changes)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(run, [SOUND, other, SOUND, other]))
    assert sum(1 for count in counts if count > 10) == 1
    assert Course.objects.count() == 1
    assert (Week.objects.count(), Meeting.objects.count(), Assignment.objects.count()) == (
        14,
        26,
        4,
    )
    assert CourseImport.objects.count() == sum(1 for count in counts if count)
