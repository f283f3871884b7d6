"""Signing in: a class that comes at once gets in, and whoever guesses passwords does not."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from campus.settings import base
from tests.cast import Cast

pytestmark = pytest.mark.django_db
RIGHT, WRONG = "password-of-the-tests", "a-wrong-password"


@pytest.fixture(autouse=True)
def _limited(settings) -> Iterator[None]:
    settings.ACCOUNT_RATE_LIMITS = base.ACCOUNT_RATE_LIMITS
    cache.clear()
    yield
    cache.clear()


def sign_in(name: str, password: str, host: str = "testserver", to: str = "") -> HttpResponse:
    sent = {"login": name, "password": password, "next": to}
    return Client().post(reverse("account_login"), sent, headers={"host": host})


def test_a_class_behind_one_address_signs_in_within_a_minute(cast: Cast) -> None:
    assert {sign_in("student", RIGHT).status_code for _ in range(120)} == {302}


def test_a_few_who_mistype_keep_nobody_else_out(cast: Cast) -> None:
    for number in range(20):
        sign_in(f"somebody{number}", WRONG)
    assert sign_in("student", RIGHT).status_code == 302


def test_an_account_is_closed_for_a_while_after_wrong_passwords(cast: Cast) -> None:
    for _ in range(5):
        sign_in("student", WRONG)
    assert sign_in("student", RIGHT).status_code == 200  # the form again
    assert sign_in("assistant", RIGHT).status_code == 302


def test_another_name_of_the_site_gives_no_new_tries(cast: Cast) -> None:
    for number in range(5):
        sign_in("Student", WRONG, host=f"name{number}.example")
    assert sign_in("student", RIGHT, host="another.example").status_code == 200


def test_too_many_tries_are_answered_by_a_page_of_ours(cast: Cast, settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    sign_in("student", WRONG)
    answer = sign_in("student", RIGHT)
    assert answer.status_code == 429
    assert "Wait a few minutes" in answer.content.decode()


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_signing_in_leads_to_no_other_site(cast: Cast, to: str) -> None:
    assert sign_in("student", RIGHT, to=to).headers["Location"] == "/"


def test_signing_in_gives_a_new_session(cast: Cast, client: Client) -> None:
    client.cookies["sessionid"] = "chosen-by-somebody-else-0123456789"
    client.post(reverse("account_login"), {"login": "student", "password": RIGHT})
    assert client.cookies["sessionid"].value != "chosen-by-somebody-else-0123456789"


@pytest.mark.parametrize(
    ("name", "password"),
    [("a" * 100_000, RIGHT), (f"{'a' * 100_000}@b.example", RIGHT), ("student", "x" * 1_000_000)],
)
def test_a_name_or_password_of_any_length_is_only_a_wrong_one(
    cast: Cast, name: str, password: str
) -> None:
    assert sign_in(name, password).status_code == 200


@pytest.mark.parametrize("name", ["stu\0dent", "\0"])
def test_a_name_that_the_database_cannot_hold_is_only_a_wrong_one(cast: Cast, name: str) -> None:
    assert sign_in(name, RIGHT).status_code == 200
