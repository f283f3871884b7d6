"""The number of queries does not grow with the number of students."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campus.courses.models import Role
from campus.gradebook.demo.seed import seed
from campus.submissions.models import Submission
from tests.web.staff.builders import a_course, an_assignment, enrolled

pytestmark = pytest.mark.django_db
FEW, MANY = 30, 300


def queries_with(client: Client, students: int) -> dict[str, int]:
    """Page → how many queries it takes, in a course of its own."""
    course = a_course(f"course-of-{students}")
    assignment = an_assignment(course)
    seed(course=course, students=students, seed_number=1, now=timezone.now())
    client.force_login(enrolled(course, f"staff-of-{students}", Role.ASSISTANT).user)
    root = f"/courses/{course.slug}/staff/"
    some = Submission.objects.filter(assignment=assignment).first()
    assert some is not None
    counts = {}
    for page, address in {
        "dashboard": root,
        "assignment": f"{root}steps/",
        "filtered": f"{root}steps/?q=student&sort=-best&state=graded",
        "submission": f"{root}submissions/{some.pk}/",
    }.items():
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        counts[page] = len(captured)
    return counts


def test_every_page_takes_as_many_queries_for_300_students_as_for_30(client: Client) -> None:
    few = queries_with(client, FEW)
    assert queries_with(client, MANY) == few
    assert max(few.values()) <= 16
