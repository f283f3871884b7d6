"""The lab page and the list of labs: who may see them, and what they read like without scripts."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campus.accounts.models import User
from campus.assignments.models import Assignment
from campus.submissions.models import CheckResult, Draft
from grader.api import Verdict
from tests.cast import NOW, Cast, hand_in, result_of


def lab_url(cast: Cast) -> str:
    return reverse("workbench:lab", args=[cast.course.slug, cast.assignment.slug])


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def config_of(page: str) -> dict[str, object]:
    found = re.search(r'<script id="workbench-config" type="application/json">(.*?)</script>', page)
    assert found is not None
    config: dict[str, object] = json.loads(found[1])
    return config


@pytest.fixture
def student(cast: Cast) -> Client:
    return signed_in(cast.student)


def test_the_lab_reads_without_scripts(student: Client, cast: Cast) -> None:
    page = student.get(lab_url(cast)).content.decode()
    assert "<noscript>" in page
    assert "def double(x):" in page
    assert "import numpy as np" in page
    assert page.count("<h1") == 1
    assert "Given code" in page


def test_solutions_and_hidden_inputs_are_not_in_the_page(student: Client, cast: Cast) -> None:
    page = student.get(lab_url(cast)).content.decode()
    assert "return 2 * x" not in page
    assert "BEGIN SOLUTION" not in page


def test_no_script_or_style_stands_in_the_page(student: Client, cast: Cast) -> None:
    page = student.get(lab_url(cast)).content.decode()
    scripts = re.findall(r"<script\b[^>]*>", page)
    assert all("src=" in script or "application/json" in script for script in scripts)
    assert not re.search(r"\sstyle=|\son\w+=", page)


def test_the_draft_stands_in_its_cells(student: Client, cast: Cast) -> None:
    enrolment = cast.enrolment(cast.student)
    evil = "</script><script>alert(1)</script>"
    Draft.objects.create(
        enrolment=enrolment, assignment=cast.assignment, answers={"double": evil}, revision=4
    )
    page = student.get(lab_url(cast)).content.decode()
    assert evil not in page
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in page
    draft = config_of(page)["draft"]
    assert isinstance(draft, dict)
    assert draft["answers"] == {"double": evil}
    assert draft["revision"] == 4


def test_the_latest_submission_comes_back_after_a_reload(student: Client, cast: Cast) -> None:
    submitted = hand_in(cast)
    CheckResult.objects.create(
        attempt=submitted.attempt,
        check_name="doubles",
        exercise="E1",
        position=0,
        verdict=Verdict.FAILED,
        points=0,
        max_points=3,
        detail=result_of(cast.lab, "doubles", Verdict.FAILED).model_dump(mode="json"),
        received_at=NOW,
    )
    page = student.get(lab_url(cast)).content.decode()
    latest = config_of(page)["latest"]
    assert isinstance(latest, dict)
    assert latest["submission"] == str(submitted.submission.pk)
    assert latest["events_url"].endswith("/events/")
    assert re.search(r'data-verdict="failed" data-check="doubles"', page)


def test_a_lab_past_its_due_date_says_that_it_counts_as_late(student: Client, cast: Cast) -> None:
    Assignment.objects.update(due_at=timezone.now() - timedelta(hours=1))
    page = student.get(lab_url(cast)).content.decode()
    assert "counts as late" in page
    assert "data-submit" in page


def test_a_closed_lab_has_no_submit_button(student: Client, cast: Cast) -> None:
    earlier = timezone.now() - timedelta(hours=1)
    Assignment.objects.update(due_at=earlier, cut_off_at=earlier)
    page = student.get(lab_url(cast)).content.decode()
    assert "This lab is closed" in page
    assert "data-submit" not in page
    assert "data-submit" in signed_in(cast.assistant).get(lab_url(cast)).content.decode()


def test_a_broken_lab_is_our_fault_and_the_draft_is_safe(student: Client, cast: Cast) -> None:
    Assignment.objects.update(lab="missing")
    answer = student.get(lab_url(cast))
    assert answer.status_code == 503
    assert "not yours" in answer.content.decode()


def test_an_unreleased_lab_does_not_exist_for_students(student: Client, cast: Cast) -> None:
    Assignment.objects.update(
        release_at=timezone.now() + timedelta(days=1), due_at=timezone.now() + timedelta(days=2)
    )
    assert student.get(lab_url(cast)).status_code == 404
    assert signed_in(cast.instructor).get(lab_url(cast)).status_code == 200


def test_a_lab_whose_release_is_not_decided_is_not_open(student: Client, cast: Cast) -> None:
    Assignment.objects.update(release_at=None)
    assert student.get(lab_url(cast)).status_code == 404
    assert signed_in(cast.instructor).get(lab_url(cast)).status_code == 200


def test_the_outsider_finds_nothing(cast: Cast) -> None:
    outsider = signed_in(cast.outsider)
    assert outsider.get(lab_url(cast)).status_code == 404
    assert outsider.get(f"{lab_url(cast)}figures/step.svg").status_code == 404


def test_a_visitor_is_asked_to_sign_in(cast: Cast) -> None:
    answer = Client().get(lab_url(cast))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize(
    "name",
    [
        *("../checks.py", "..%2fchecks.py", "%2e%2e/lab.toml", "/etc/passwd", "no.svg", "x.html"),
        *("nul%00.svg", f"{'long' * 100}.svg"),
    ],
)
def test_only_pictures_of_the_lab_are_served(student: Client, cast: Cast, name: str) -> None:
    assert student.get(f"{lab_url(cast)}figures/{name}").status_code == 404


def test_a_page_of_one_student_is_kept_by_no_cache(student: Client, cast: Cast) -> None:
    assert "no-store" in student.get(lab_url(cast))["Cache-Control"]


def test_the_list_of_labs_shows_visitors_the_dates_only(cast: Cast) -> None:
    hand_in(cast)
    url = reverse("workbench:labs", args=[cast.course.slug])
    page = Client().get(url).content.decode()
    assert "A tiny lab" in page
    assert "data-check=" not in page
    assert "data-check=" in signed_in(cast.student).get(url).content.decode()


def test_an_unpublished_lab_is_listed_for_staff_only(cast: Cast) -> None:
    Assignment.objects.update(published=False)
    url = reverse("workbench:labs", args=[cast.course.slug])
    assert "There are no labs yet" in signed_in(cast.student).get(url).content.decode()
    assert "A tiny lab" in signed_in(cast.assistant).get(url).content.decode()


def test_the_list_of_labs_asks_the_database_as_often_for_one_lab_as_for_nine(
    student: Client, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        Assignment.objects.create(
            course=cast.course, slug=f"lab-{number}", title=f"Lab {number}", kind="lab", lab="tiny"
        )
    hand_in(cast)
    hand_in(cast)
    url = reverse("workbench:labs", args=[cast.course.slug])
    with django_assert_max_num_queries(8):
        page = student.get(url).content.decode()
    assert page.count("lab-card__title") == 9
