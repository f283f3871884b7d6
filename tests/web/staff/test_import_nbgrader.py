"""Instructors bring nbgrader notebooks along; nothing is stored before they confirm, nobody else may."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from campus.assignments.models import Assignment
from campus.courses.models import Course, Role
from labs.catalog import find_labs, get_lab, imported_labs
from tests.web.staff.builders import a_course, enrolled, somebody

pytestmark = pytest.mark.django_db
NOTEBOOK = (
    Path(__file__).resolve().parents[2] / "fixtures" / "classic" / "sums" / "sums.ipynb"
).read_bytes()


@pytest.fixture(autouse=True)
def home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADUS_HOME", str(tmp_path))


def address(course: Course) -> str:
    return f"/courses/{course.slug}/staff/import/nbgrader/"


def a_zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("source/ps1/a.ipynb", NOTEBOOK)
        archive.writestr("source/ps2/b.ipynb", NOTEBOOK)
        archive.writestr("submitted/student/ps1/a.ipynb", NOTEBOOK)
    return packed.getvalue()


def uploaded(name: str, content: bytes) -> dict[str, object]:
    return {"file": SimpleUploadedFile(name, content)}


def carried(page: str) -> str:
    found = re.search(r'name="carried" value="([^"]+)"', page)
    assert found, "the preview offers nothing to confirm"
    return found[1]


def test_a_preview_stores_nothing_and_a_confirmation_makes_unpublished_assignments(
    client: Client,
) -> None:
    course = a_course()
    client.force_login(enrolled(course, "instructor", Role.INSTRUCTOR).user)
    page = client.post(address(course), uploaded("course.zip", a_zip())).content.decode()
    assert "Sums and means" in page
    assert "graded by the notebook itself" in page
    assert not imported_labs().exists()
    assert not Assignment.objects.filter(slug__in=["ps1", "ps2"]).exists()

    answer = client.post(address(course), {"carried": carried(page)}, follow=True)
    assert "2 assignments were imported" in answer.content.decode()
    made = Assignment.objects.filter(course=course, slug__in=["ps1", "ps2"])
    assert {(a.lab, a.published, a.title) for a in made} == {
        ("ps1", False, "Sums and means"),
        ("ps2", False, "Sums and means"),
    }
    assert get_lab("ps1").kind == "classic"
    assert {"ps1", "ps2"} <= find_labs().keys()  # what a worker announces
    staff_page = client.get(f"/courses/{course.slug}/staff/ps1/").content.decode()
    assert "graded by the notebook itself" in staff_page


def test_students_do_not_see_an_imported_assignment_before_it_is_published(client: Client) -> None:
    course = a_course()
    client.force_login(enrolled(course, "instructor", Role.INSTRUCTOR).user)
    page = client.post(address(course), uploaded("ps1.ipynb", NOTEBOOK)).content.decode()
    client.post(address(course), {"carried": carried(page)})
    client.force_login(enrolled(course, "student").user)
    assert client.get(f"/courses/{course.slug}/labs/ps1/").status_code == 404


def test_confirming_twice_is_told_and_changes_nothing(client: Client) -> None:
    course = a_course()
    client.force_login(enrolled(course, "instructor", Role.INSTRUCTOR).user)
    page = client.post(address(course), uploaded("ps1.ipynb", NOTEBOOK)).content.decode()
    client.post(address(course), {"carried": carried(page)})
    again = client.post(address(course), {"carried": carried(page)})
    assert again.status_code == 200
    assert "already" in again.content.decode()
    assert Assignment.objects.filter(slug="ps1").count() == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.txt", b"hello", "is no .zip and no .ipynb"),
        ("x.ipynb", b"hello", "not a notebook"),
        ("x.zip", b"PK\x03\x04", "is no .zip"),
        ("<b>.zip", b"hello", "&lt;b&gt;.zip"),
    ],
)
def test_what_cannot_be_imported_is_said_and_nothing_is_stored(
    client: Client, name: str, content: bytes, said: str
) -> None:
    course = a_course()
    client.force_login(enrolled(course, "instructor", Role.INSTRUCTOR).user)
    answer = client.post(address(course), uploaded(name, content))
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not imported_labs().exists()


@pytest.mark.parametrize("sent", ["!", "aGVsbG8=", ""])
def test_a_damaged_confirmation_is_refused(client: Client, sent: str) -> None:
    course = a_course()
    client.force_login(enrolled(course, "instructor", Role.INSTRUCTOR).user)
    assert client.post(address(course), {"carried": sent}).status_code == 200
    assert not imported_labs().exists()


@pytest.mark.parametrize("role", [Role.STUDENT, Role.ASSISTANT])
def test_students_and_assistants_get_404(client: Client, role: Role) -> None:
    course = a_course()
    client.force_login(enrolled(course, "somebody", role).user)
    assert client.get(address(course)).status_code == 404
    assert client.post(address(course), uploaded("ps1.ipynb", NOTEBOOK)).status_code == 404


def test_an_outsider_and_a_visitor_get_404(client: Client) -> None:
    course = a_course()
    assert client.get(address(course)).status_code == 404
    client.force_login(somebody("outsider"))
    assert client.get(address(course)).status_code == 404
    assert client.post(address(course), uploaded("ps1.ipynb", NOTEBOOK)).status_code == 404


def test_an_instructor_of_another_course_gets_404(client: Client) -> None:
    course = a_course()
    other = Course.objects.create(slug="other", title="Other", year=2025, published=True)
    client.force_login(enrolled(other, "instructor", Role.INSTRUCTOR).user)
    assert client.get(address(course)).status_code == 404
