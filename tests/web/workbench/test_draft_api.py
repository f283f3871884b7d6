"""Saving the draft over the JSON API: by its owner alone, within limits, and never over a newer one."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campus.accounts.models import User
from campus.submissions.models import Draft
from campus.workbench.drafts import MAX_CELL_BYTES, MAX_DRAFT_BYTES
from tests.cast import RIGHT, Cast, another_student


def draft_url(cast: Cast) -> str:
    return reverse("workbench:api:put_draft", args=[cast.course.slug, cast.assignment.slug])


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def put(client: Client, cast: Cast, answers: Any, revision: Any = 0) -> Any:
    body = json.dumps({"revision": revision, "answers": answers})
    return client.put(draft_url(cast), body, content_type="application/json")


@pytest.fixture
def student(cast: Cast) -> Client:
    return signed_in(cast.student)


def test_an_untouched_draft_is_empty(student: Client, cast: Cast) -> None:
    assert student.get(draft_url(cast)).json() == {"revision": 0, "answers": {}, "saved_at": None}
    assert not Draft.objects.exists()


def test_what_was_saved_is_read_again(student: Client, cast: Cast) -> None:
    saved = put(student, cast, RIGHT)
    assert saved.status_code == 200
    assert saved.json()["revision"] == 1
    read = student.get(draft_url(cast)).json()
    assert read["answers"] == RIGHT
    assert read["saved_at"] == saved.json()["saved_at"] is not None


def test_saving_the_same_again_changes_nothing(student: Client, cast: Cast) -> None:
    put(student, cast, RIGHT)
    assert put(student, cast, RIGHT, revision=1).json()["revision"] == 1


def test_an_old_revision_is_answered_with_the_draft_as_it_is(student: Client, cast: Cast) -> None:
    put(student, cast, {"double": "first tab"})
    answer = put(student, cast, {"double": "second tab"}, revision=0)
    assert answer.status_code == 409
    assert answer.json()["revision"] == 1
    assert answer.json()["answers"] == {"double": "first tab"}
    assert "somewhere else" in answer.json()["detail"]
    assert Draft.objects.get().answers == {"double": "first tab"}


def test_a_revision_from_the_future_is_a_conflict_too(student: Client, cast: Cast) -> None:
    assert put(student, cast, {"double": "x"}, revision=7).status_code == 409


def test_saving_replaces_the_whole_draft(student: Client, cast: Cast) -> None:
    put(student, cast, RIGHT)
    put(student, cast, {"total": "only this"}, revision=1)
    assert student.get(draft_url(cast)).json()["answers"] == {"total": "only this"}


def test_answers_of_a_cell_that_the_lab_lost_are_kept_but_not_shown(
    student: Client, cast: Cast
) -> None:
    put(student, cast, {"double": "a"})
    Draft.objects.update(answers={"double": "a", "gone": "written before the lab was edited"})
    assert student.get(draft_url(cast)).json()["answers"] == {"double": "a"}
    put(student, cast, {"double": "b"}, revision=1)
    assert Draft.objects.get().answers["gone"] == "written before the lab was edited"


@pytest.mark.parametrize("cell", ["no-such-cell", "setup", "check-double", "prose-1", ""])
def test_only_exercise_cells_are_taken(student: Client, cast: Cast, cell: str) -> None:
    answer = put(student, cast, {cell: "x"})
    assert answer.status_code == 422
    assert repr(cell) in answer.json()["detail"]
    assert "reload" in answer.json()["detail"]
    assert not Draft.objects.exists()


def test_a_cell_may_have_200_kib_in_bytes_not_characters(student: Client, cast: Cast) -> None:
    assert put(student, cast, {"double": "é" * (MAX_CELL_BYTES // 2)}).status_code == 200
    answer = put(student, cast, {"double": "é" * (MAX_CELL_BYTES // 2 + 1)}, revision=1)
    assert answer.status_code == 413
    assert "'double'" in answer.json()["detail"]


def test_a_draft_may_have_a_mebibyte(student: Client, cast: Cast) -> None:
    answers = {f"cell-{n}": "x" * MAX_CELL_BYTES for n in range(MAX_DRAFT_BYTES // MAX_CELL_BYTES)}
    assert put(student, cast, answers).status_code == 422  # small enough, but no such cells
    answers["one-more"] = "x" * MAX_CELL_BYTES
    assert put(student, cast, answers).status_code == 413


def test_a_body_that_is_far_too_large_is_refused_in_json(student: Client, cast: Cast) -> None:
    answer = put(student, cast, {"double": "x" * (7 * MAX_DRAFT_BYTES)})
    assert answer.status_code == 413
    assert "too large" in answer.json()["detail"]


@pytest.mark.parametrize("source", ["a\0b", "\ud83d"])
def test_characters_that_no_database_stores_are_refused(
    student: Client, cast: Cast, source: str
) -> None:
    answer = put(student, cast, {"double": source})
    assert answer.status_code == 422
    assert "double" in answer.json()["detail"]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"revision": 0', "\xff"])
def test_malformed_json_is_refused(student: Client, cast: Cast, body: str) -> None:
    answer = student.put(draft_url(cast), body, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize(
    ("revision", "answers", "field"),
    [
        (-1, {}, "revision"),
        ("one", {}, "revision"),
        (2**63, {}, "revision"),
        (0, [], "answers"),
        (0, {"double": 3}, "answers"),
        (0, {"double": None}, "answers"),
    ],
)
def test_the_sentence_names_the_field(
    student: Client, cast: Cast, revision: object, answers: object, field: str
) -> None:
    answer = put(student, cast, answers, revision)
    assert answer.status_code == 422
    assert field in answer.json()["detail"]


def test_two_students_do_not_see_each_other(student: Client, cast: Cast) -> None:
    put(student, cast, {"double": "mine"})
    neighbour = signed_in(another_student(cast, "neighbour"))
    assert neighbour.get(draft_url(cast)).json()["answers"] == {}
    put(neighbour, cast, {"double": "theirs"})
    assert student.get(draft_url(cast)).json()["answers"] == {"double": "mine"}


def test_staff_have_a_draft_of_their_own(student: Client, cast: Cast) -> None:
    put(student, cast, {"double": "mine"})
    assert signed_in(cast.assistant).get(draft_url(cast)).json()["answers"] == {}


def test_the_outsider_finds_nothing(cast: Cast) -> None:
    outsider = signed_in(cast.outsider)
    assert outsider.get(draft_url(cast)).status_code == 404
    assert put(outsider, cast, {"double": "x"}).status_code == 404
    assert not Draft.objects.exists()


def test_somebody_who_left_the_course_finds_nothing(student: Client, cast: Cast) -> None:
    cast.course.enrolments.filter(user=cast.student).update(active=False)
    assert student.get(draft_url(cast)).status_code == 404


def test_nobody_saves_without_signing_in(cast: Cast) -> None:
    assert put(Client(), cast, {"double": "x"}).status_code == 401


def test_a_save_from_another_site_is_refused(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.student)
    assert put(client, cast, {"double": "x"}).status_code == 403


def test_an_assignment_without_a_lab_says_so(student: Client, cast: Cast) -> None:
    cast.assignment.lab = "missing"
    cast.assignment.save()
    answer = put(student, cast, {"double": "x"})
    assert answer.status_code == 503
    assert "our fault" in answer.json()["detail"]


def test_a_name_that_no_course_can_have_is_not_looked_up(student: Client) -> None:
    # PostgreSQL refuses NUL in a query's text, which would be an error of ours.
    address = "/api/v1/courses/te%00st/assignments/tiny/draft"
    assert student.get(address).status_code == 404


def test_the_schema_of_the_api_is_not_published(student: Client) -> None:
    assert student.get("/api/v1/openapi.json").status_code == 404
