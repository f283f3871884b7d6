"""The course's scores as nbgrader's gradebook.db, which nbgrader opens and exports."""

import tempfile
from decimal import Decimal
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from campus.assignments.models import Assignment
from campus.courses.access import staff_enrolment_or_404
from campus.courses.models import Course, Enrolment, Role
from campus.gradebook.overview import lab_of
from campus.submissions.models import Attempt
from grader.api import (
    Book,
    BookAssignment,
    BookNotebook,
    BookSubmission,
    CellGrade,
    GradedCell,
    Student,
    write_gradebook,
)
from labs.catalog import Lab


@require_GET
def gradebook_db(request: HttpRequest, slug: str) -> HttpResponse:
    """Every lab's newest graded submission of every student, as a file."""
    course = staff_enrolment_or_404(request, slug).course
    with tempfile.TemporaryDirectory(prefix="gradus-export-") as folder:
        path = Path(folder) / "gradebook.db"
        write_gradebook(book_of(course), path)
        content = path.read_bytes()
    return HttpResponse(
        content,
        content_type="application/vnd.sqlite3",
        headers={
            "Content-Disposition": f'attachment; filename="gradebook-{course.slug}.db"',
            "Cache-Control": "private, no-store",
        },
    )


def book_of(course: Course) -> Book:
    """What nbgrader would call the course's gradebook; each lab is an assignment of one notebook."""
    listed = Assignment.objects.filter(course=course).exclude(lab="")
    labs = {a.pk: (a, lab) for a in listed if (lab := lab_of(a)) is not None}
    students = (
        Enrolment.objects.filter(course=course, role=Role.STUDENT)
        .select_related("user")
        .order_by("user__username")
    )
    graded = (
        Attempt.objects.filter(
            submission__assignment__in=labs,
            submission__enrolment__in=students,
            outcome=Attempt.Outcome.GRADED,
        )
        .select_related("submission__enrolment__user")
        .defer("submission__notebook")
        .prefetch_related("results")
        .order_by("submission__assignment", "-submission__number", "-number")
    )
    newest: dict[tuple[int, int], Attempt] = {}
    for attempt in graded:
        key = attempt.submission.assignment_id, attempt.submission.enrolment_id
        newest.setdefault(key, attempt)
    return Book(
        course=course.slug,
        assignments=tuple(_assignment(*labs[key]) for key in labs),
        students=tuple(Student(one.user.username, str(one.user)) for one in students),
        submissions=tuple(
            _submission(*labs[assignment], attempt) for (assignment, _), attempt in newest.items()
        ),
    )


def _assignment(assignment: Assignment, lab: Lab) -> BookAssignment:
    cells = [GradedCell(check.name, check.points) for check in lab.checks]
    cells += [
        GradedCell(item.cell, item.points, lab.cell(item.cell).kind, item.kind)
        for item in lab.manual
    ]
    return BookAssignment(
        assignment.slug, assignment.due_at, (BookNotebook(assignment.slug, tuple(cells)),)
    )


def _submission(assignment: Assignment, lab: Lab, attempt: Attempt) -> BookSubmission:
    known = {check.name for check in lab.checks}
    grades = [
        CellGrade(assignment.slug, row.check_name, auto_score=Decimal(row.points))
        for row in attempt.results.all()
        if row.check_name in known
    ]
    grades += [
        CellGrade(assignment.slug, item.cell, needs_manual_grade=True) for item in lab.manual
    ]
    return BookSubmission(
        assignment=assignment.slug,
        student=attempt.submission.enrolment.user.username,
        submitted_at=attempt.submission.submitted_at,
        grades=tuple(grades),
    )
