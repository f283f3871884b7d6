"""manage.py seed_demo: made-up students, as valid as real ones, gone again without a trace."""

import hashlib
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from campus.accounts.models import User
from campus.courses.models import Course, Enrolment, Role
from campus.gradebook.demo.seed import seed
from campus.gradebook.models import ScoreEntry
from campus.gradebook.record import record_attempt
from campus.submissions.models import Attempt, CheckResult, Draft, Submission
from campus.submissions.receipts import Finding, receipt_for, verify_receipt
from grader.api import CheckResult as CheckMessage
from labs.catalog import get_lab, read_answers
from tests.web.staff.builders import (
    a_course,
    a_graded_attempt,
    a_submission,
    an_assignment,
    an_entry,
    enrolled,
    somebody,
)

pytestmark = pytest.mark.django_db
COURSE = "steps-2025"


def a_seeded_course(students: int = 30, **assignment: object) -> Course:
    course = a_course()
    an_assignment(course, **assignment)
    seed(course=course, students=students, seed_number=1, now=timezone.now())
    return course


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("seed_demo", "--course", COURSE, *arguments, stdout=out)
    return out.getvalue()


def everything() -> dict[str, list[dict[str, object]]]:
    """Every row of every table of the site."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for app in ("accounts", "courses", "assignments", "submissions", "gradebook")
        for model in apps.get_app_config(app).get_models()
    }


def test_thirty_students_make_every_state_of_the_pages() -> None:
    course = a_seeded_course()
    students = Enrolment.objects.filter(course=course, role=Role.STUDENT)
    assert students.count() == 30
    assert set(students.values_list("section", flat=True)) == {
        "LA1",
        "LA2",
        "LA3",
    }
    assert students.filter(submissions__isnull=True).count() == 3
    assert students.filter(submissions__isnull=True, drafts__isnull=False).count() == 1
    found = set(Attempt.objects.values_list("state", "outcome", "purpose"))
    assert {
        ("queued", "", "interactive"),
        ("running", "", "interactive"),
        ("done", "graded", "interactive"),
        ("done", "internal_error", "interactive"),
        ("done", "graded", "regrade"),
    } <= found
    assert Attempt.objects.filter(outcome="graded", internal_errors=1).exists()
    verdicts = set(CheckResult.objects.values_list("verdict", flat=True))
    assert {"passed", "failed", "error", "not_reached"} <= verdicts
    assert Submission.objects.filter(number__gt=1).exists()


def test_a_second_run_changes_nothing() -> None:
    a_seeded_course()
    before = everything()
    assert command() == "Nothing to do: it is as asked already.\n"
    assert everything() == before


def test_a_second_run_with_more_students_only_adds_them() -> None:
    a_seeded_course(5)
    before = everything()
    assert "Made 3 students" in command("--students", "8")
    after = everything()
    assert all(
        [row for row in after[label] if row in rows] == rows for label, rows in before.items()
    )


def test_the_same_seed_makes_the_same_answers_another_one_does_not() -> None:
    a_seeded_course(12)

    def made() -> list[str]:
        return list(
            Submission.objects.order_by("enrolment__user__username", "number").values_list(
                "sha256", flat=True
            )
        )

    first = made()
    command("--remove")
    command("--students", "12", "--seed", "1")
    assert made() == first
    command("--remove")
    command("--students", "12", "--seed", "2")
    assert made() != first


def test_remove_takes_away_exactly_what_was_made() -> None:
    course = a_course()
    assignment = an_assignment(course)
    an_entry(a_graded_attempt(a_submission(enrolled(course, "real"), assignment)))
    Draft.objects.create(enrolment=Enrolment.objects.get(), assignment=assignment, answers={})
    before = everything()
    assert "Made 30 students" in command()
    assert "Removed 30 students" in command("--remove")
    assert everything() == before
    assert command("--remove") == "Nothing to do: it is as asked already.\n"


def test_a_made_up_person_who_is_in_another_course_too_keeps_the_account() -> None:
    a_seeded_course(2)
    other = a_course("other-2025")
    an_assignment(other)
    seed(course=other, students=2, seed_number=1, now=timezone.now())
    command("--remove")
    assert User.objects.filter(username="student001").exists()
    assert Enrolment.objects.get(user__username="student001").course == other


def test_a_real_person_with_such_a_name_is_never_touched() -> None:
    course = a_course()
    an_assignment(course)
    somebody("student003")
    before = everything()
    with pytest.raises(CommandError, match="student003"):
        command()
    assert everything() == before
    command("--remove")
    assert everything() == before


def test_nobody_can_sign_in_as_a_made_up_student(client: Client) -> None:
    a_seeded_course(1)
    student = User.objects.get(username="student001")
    assert not student.has_usable_password()
    assert not client.login(username="student001", password="")
    assert (student.name, student.first_name, student.last_name) == ("", "", "")


def test_a_production_site_is_refused_unless_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    course = a_course()
    an_assignment(course)
    monkeypatch.setattr(settings, "SETTINGS_MODULE", "campus.settings.production", raising=False)
    for arguments in ((), ("--remove",)):
        with pytest.raises(CommandError, match="production"):
            command(*arguments)
    assert "Made 1 students" in command("--students", "1", "--force")


def test_what_is_missing_is_said() -> None:
    with pytest.raises(CommandError, match="import it first"):
        command()
    a_course()
    with pytest.raises(CommandError, match="no assignment with a lab"):
        command()
    an_assignment(Course.objects.get(), lab="gone")
    with pytest.raises(CommandError, match="cannot be read"):
        command()
    with pytest.raises(CommandError, match="between 1 and 5000"):
        command("--students", "0")
    assert not User.objects.exists()


def test_every_stored_notebook_is_a_real_one_and_its_receipt_verifies() -> None:
    a_seeded_course(10)
    lab = get_lab("steps")
    submissions = list(Submission.objects.select_related("assignment__course", "enrolment__user"))
    assert submissions
    for submission in submissions:
        content = submission.notebook.encode()
        assert submission.sha256 == hashlib.sha256(content).hexdigest()
        assert submission.lab_hash == lab.content_hash
        assert set(read_answers(lab, content)) == {"double", "halve"}
        receipt = receipt_for(submission).content
        assert verify_receipt(receipt, content).finding is Finding.GENUINE
        assert verify_receipt(receipt, content + b" ").finding is Finding.NOTEBOOK_CHANGED


def test_results_and_scores_agree_with_each_other_and_with_the_lab() -> None:
    a_seeded_course()
    lab = get_lab("steps")
    for attempt in Attempt.objects.filter(outcome="graded").prefetch_related("results"):
        results = list(attempt.results.all())
        assert [result.check_name for result in results] == [check.name for check in lab.checks]
        assert attempt.score == sum((result.points for result in results), Decimal(0))
        assert attempt.max_score == lab.points
        for result in results:
            message = CheckMessage.model_validate(result.detail)
            assert message.check == result.check_name
            assert message.verdict == result.verdict
            assert message.points == result.points
    assert not Attempt.objects.filter(outcome="internal_error", score__isnull=False).exists()


def test_the_ledger_is_as_the_real_grading_writes_it() -> None:
    course = a_seeded_course()
    fields = (
        "enrolment",
        "attempt",
        "reason",
        "score_before",
        "score_after",
        "max_score",
        "created_at",
    )
    seeded = list(ScoreEntry.objects.order_by("created_at", "pk").values_list(*fields))
    ScoreEntry.objects.all().delete()
    graded = Attempt.objects.filter(outcome="graded")
    waiting = {attempt.pk for attempt in graded}
    Attempt.objects.filter(pk__in=waiting).update(outcome="internal_error")
    for attempt in Attempt.objects.filter(pk__in=waiting).order_by("finished_at"):
        attempt.outcome = "graded"
        attempt.save()
        record_attempt(attempt, attempt.finished_at)
    assert list(ScoreEntry.objects.order_by("created_at", "pk").values_list(*fields)) == seeded
    assert course.enrolments.count() == 30


def test_no_time_lies_in_the_future_and_they_are_in_order() -> None:
    a_seeded_course(due_at=None)
    now = timezone.now()
    for attempt in Attempt.objects.select_related("submission"):
        times = [
            attempt.submission.submitted_at,
            attempt.claimed_at or now,
            attempt.finished_at or now,
        ]
        assert times == sorted(times)
        assert times[-1] <= now
    for enrolment in Enrolment.objects.filter(submissions__isnull=False).distinct():
        times = list(
            enrolment.submissions.order_by("number").values_list("submitted_at", flat=True)
        )
        assert times == sorted(times)


def test_before_a_past_due_date_most_are_in_time_and_a_few_are_late() -> None:
    due = timezone.now() - timedelta(days=30)
    a_seeded_course(60, due_at=due)
    graded = Submission.objects.filter(attempts__outcome="graded").distinct()
    late = graded.filter(submitted_at__gt=due).count()
    assert 0 < late < graded.count() / 4


def test_a_lab_without_wrong_solutions_can_be_seeded_too(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil
    from pathlib import Path

    from tests.web.staff.builders import LABS

    folder = Path(str(tmp_path)) / "steps"
    shutil.copytree(LABS / "steps", folder, ignore=shutil.ignore_patterns("wrong"))
    monkeypatch.setenv("GRADUS_LABS_PATH", str(tmp_path))
    a_seeded_course(10)
    assert Attempt.objects.filter(outcome="graded").exists()


def test_the_number_of_queries_does_not_grow_with_the_students(
    django_assert_max_num_queries: object,
) -> None:
    course = a_course()
    an_assignment(course)
    with django_assert_max_num_queries(40):  # type: ignore[operator]
        seed(course=course, students=120, seed_number=1, now=timezone.now())
