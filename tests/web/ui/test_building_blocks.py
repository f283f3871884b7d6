"""The building blocks of the pages, and the pages for when something went wrong."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from campus.ui.templatetags import campus_ui
from campus.ui.times import course_time, relative_time
from grader.api import Verdict

NOW = datetime(2025, 2, 20, 12, 0, tzinfo=UTC)


def rendered(source: str, **context: object) -> str:
    return Template("{% load campus_ui %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3 * 3600 + 3599, "in 3 hours"),
        (-2 * 86400, "2 days ago"),
        (47 * 3600, "in 1 day"),
        (-1, "just now"),
        (59, "in 59 seconds"),
        (-400 * 86400, "1 year ago"),
    ],
)
def test_times_are_said_as_the_browser_says_them(seconds: int, words: str) -> None:
    assert relative_time(NOW + timedelta(seconds=seconds), NOW) == words


def test_a_due_date_names_its_zone_and_is_in_it() -> None:
    html = rendered("{% moment due zone due=True %}", due=NOW, zone="Asia/Hong_Kong")
    assert "Thu 20 Feb 2025, 20:00 HKT" in html
    assert 'data-zone="Asia/Hong_Kong"' in html
    assert 'datetime="2025-02-20T20:00:00+08:00"' in html
    assert "data-due" in html


def test_a_zone_without_letters_is_written_as_an_offset() -> None:
    from zoneinfo import ZoneInfo

    assert course_time(NOW.astimezone(ZoneInfo("America/Sao_Paulo"))).endswith("UTC-03")


def test_no_date_is_no_error() -> None:
    assert "no date" in rendered("{% moment nothing 'UTC' %}", nothing=None)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_an_icon_a_word_and_a_sentence(verdict: Verdict) -> None:
    html = render_to_string("ui/components/verdict.html", {"verdict": verdict})
    assert f'data-verdict="{verdict.value}"' in html
    assert campus_ui.VERDICT_WORDS[verdict] in html
    assert f'id="icon-{verdict.value}"' in render_to_string("ui/icons.html")
    assert verdict == Verdict.PASSED or campus_ui.verdict_sentence(verdict)


def test_a_result_shows_the_first_element_that_differs() -> None:
    result = {
        "check": "shared_node",
        "title": "A value used twice adds both of its gradients.",
        "verdict": "failed",
        "points": "0",
        "max_points": "2.500",
        "message": "The gradient differs.",
        "difference": {
            "path": "grad[0, 2]",
            "got": "<1.0>",
            "expected": "2.0",
            "relative_error": 0.5,
        },
        "inputs": "x = np.ones(3)",
        "trials": 1,
    }
    html = render_to_string("ui/components/check_result.html", {"result": result})
    for text in ("grad[0, 2]", "&lt;1.0&gt;", "2.0", "50 %", "0 / 2.5", "The gradient differs."):
        assert text in html


def test_a_result_without_a_message_still_says_what_happened() -> None:
    html = render_to_string(
        "ui/components/check_result.html",
        {"result": {"check": "c", "verdict": "timed_out", "points": "0", "max_points": "1"}},
    )
    assert "time for this check was up" in html


def test_what_the_details_say_is_not_said_twice() -> None:
    difference = {"path": "y[0]", "got": "1.0", "expected": "2.0"}
    repeated = {"message": "y[0] is 1.0; 2.0 is expected", "difference": difference}
    assert campus_ui.telling_message(repeated) == ""
    assert campus_ui.telling_message(repeated | {"message": "Wrong order."}) == "Wrong order."
    raised = {"message": "KeyError: 'x'", "exception": {"type": "KeyError", "text": "'x'"}}
    assert campus_ui.telling_message(raised) == ""


def test_names_in_backticks_are_code_and_nothing_else_is_markup() -> None:
    assert campus_ui.inline_code("`a<b>` & c") == "<code>a&lt;b&gt;</code> &amp; c"
    assert campus_ui.inline_code("a ` <b>") == "a ` &lt;b&gt;"


@pytest.mark.parametrize(
    ("value", "text"), [("13.500", "13.5"), ("4.000", "4"), ("10", "10"), ("0.000", "0")]
)
def test_points_have_no_trailing_zeros(value: str, text: str) -> None:
    assert campus_ui.points(value) == text


@pytest.mark.parametrize(
    "name", ["400.html", "403.html", "403_csrf.html", "404.html", "429.html", "500.html"]
)
def test_the_error_pages_need_neither_request_nor_database(name: str) -> None:
    html = render_to_string(name)
    assert html.count("<h1") == 1
    assert "/static/" in html


@pytest.mark.django_db
def test_the_chosen_colours_are_in_the_first_byte_of_the_page() -> None:
    request = RequestFactory().get("/")
    request.COOKIES["gradus_theme"] = "dark"
    assert '<html lang="en" data-theme="dark">' in render_to_string("404.html", {}, request)
    request.COOKIES["gradus_theme"] = '"><script>'
    assert '<html lang="en">' in render_to_string("404.html", {}, request)


def test_a_table_scrolls_by_itself_and_by_keyboard() -> None:
    html = rendered("{% scrolling_table 'Scores' %}<table></table>{% endscrolling_table %}")
    assert 'tabindex="0"' in html
    assert 'aria-label="Scores"' in html
    assert "<table></table>" in html


@pytest.mark.django_db
def test_the_sign_in_page_is_ours_and_refuses_in_words() -> None:
    client = Client()
    assert "course roster" in client.get("/accounts/login/").content.decode()
    answer = client.post("/accounts/login/", {"login": "nobody", "password": "wrong-password"})
    assert "That did not work" in answer.content.decode()
