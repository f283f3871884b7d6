"""The demonstration's people and files: made once, and readable by their owner alone."""

import stat
from datetime import date
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from campus.accounts.models import User
from campus.assignments.models import Assignment
from campus.courses.models import Course, Enrolment
from campus.schedule.models import Meeting, Week
from campus.workers.models import WorkerToken
from campus.workers.private_files import write_private
from campus.workers.tokens import token_of
from labs.catalog import find_labs

pytestmark = pytest.mark.django_db
COURSE = "comp4901y-2025"


@pytest.fixture
def home(tmp_path: Path, settings) -> Path:
    settings.HOME = tmp_path
    Course.objects.create(slug=COURSE, title="A course", year=2025, time_zone="Asia/Hong_Kong")
    return tmp_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def passwords(home: Path) -> dict[str, str]:
    lines = (home / "demo-accounts.txt").read_text().splitlines()
    return {line.split("\t")[0]: line.split("\t")[1] for line in lines}


def test_four_people_with_their_roles(home: Path) -> None:
    call_command("setup_demo")
    roles = dict(Enrolment.objects.values_list("user__username", "role"))
    assert roles == {"student": "student", "assistant": "assistant", "instructor": "instructor"}
    assert User.objects.filter(username="outsider").exists()
    assert Course.objects.get().published


def test_passwords_are_random_work_and_are_printed_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("setup_demo")
    printed = capsys.readouterr().out
    assert len(set(passwords(home).values())) == 4
    for username, password in passwords(home).items():
        assert authenticate(username=username, password=password) is not None
        assert password in printed
    call_command("setup_demo")
    assert capsys.readouterr().out == ""


def test_only_the_owner_can_read_what_is_secret(home: Path) -> None:
    call_command("setup_demo")
    assert mode(home / "demo-accounts.txt") == mode(home / "worker-token") == 0o600


def test_a_private_file_is_private_before_its_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    seen = []
    really = os.fdopen

    def watched(descriptor: int, *args: object) -> object:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return really(descriptor, *args)

    monkeypatch.setattr("os.fdopen", watched)
    (tmp_path / "secret").write_text("old and readable by all")
    write_private(tmp_path / "secret", "new")
    assert seen == [0o600]
    assert mode(tmp_path / "secret") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_second_run_changes_nothing(home: Path) -> None:
    call_command("setup_demo")
    before = [(p.name, p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(home.iterdir())]
    users = list(User.objects.values())
    call_command("setup_demo")
    assert before == [
        (p.name, p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(home.iterdir())
    ]
    assert users == list(User.objects.values())
    assert Assignment.objects.count() == len(find_labs())
    assert WorkerToken.objects.count() == 1


def test_what_is_missing_is_made_again(home: Path) -> None:
    call_command("setup_demo")
    old = passwords(home)
    User.objects.filter(username="outsider").delete()
    (home / "worker-token").unlink()
    call_command("setup_demo")
    new = passwords(home)
    assert {name for name in old if old[name] != new[name]} == {"outsider"}
    assert token_of((home / "worker-token").read_text().strip()) is not None


def test_a_lab_is_released_on_the_day_of_its_topic_and_never_due(home: Path) -> None:
    week = Week.objects.create(course=Course.objects.get(), number=2)
    for position, title, day in ((1, "Something else", 11), (2, "Automatic Differentiation", 13)):
        Meeting.objects.create(
            week=week,
            position=position,
            title=title,
            kind=Meeting.Kind.LECTURE,
            date=date(2025, 2, day),
        )
    call_command("setup_demo")
    lab = Assignment.objects.get(slug="autodiff")
    assert lab.release_at is not None
    assert lab.release_at.isoformat() == "2025-02-12T16:00:00+00:00"  # midnight in Hong Kong
    assert lab.due_at is None
    assert lab.lab == "autodiff"


def test_without_the_course_it_says_what_to_do_first(db: None) -> None:
    with pytest.raises(CommandError, match="import_course"):
        call_command("setup_demo")


def test_the_people_can_sign_in(home: Path, client: Client) -> None:
    call_command("setup_demo")
    sent = {"login": "student", "password": passwords(home)["student"]}
    assert client.post(reverse("account_login"), sent).status_code == 302
    wrong = sent | {"password": "wrong"}
    assert Client().post(reverse("account_login"), wrong).status_code == 200  # the form again


def test_nobody_signs_up_by_themselves(db: None, client: Client) -> None:
    sent = {
        "username": "new",
        "email": "new@example.org",
        "password1": "a-long-password-1",
        "password2": "a-long-password-1",
    }
    client.post(reverse("account_signup"), sent)
    assert not User.objects.filter(username="new").exists()
