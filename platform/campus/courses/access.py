"""Who may see what of a course. Each function fetches *and* authorises, so no view can do one without
the other.

Whoever may not see something gets the same 404 as for something that does not exist. That holds for
people who are not signed in, too: a redirect to the sign-in page would tell them that it exists. Only
what the public pages show anyway (a published course) may answer with a redirect.

What belongs to assignments and submissions is fetched by `assignments/access.py` and
`submissions/access.py`, which build on this.
"""

from django.http import Http404, HttpRequest

from campus.courses.models import STAFF_ROLES, Course, Enrolment, Role

NOT_FOUND = "There is no such page, or it is not yours to see."


def enrolment_of(request: HttpRequest, course: Course) -> Enrolment | None:
    """The visitor's active place in a course, if there is one."""
    if not request.user.is_authenticated:
        return None
    return (
        Enrolment.objects.select_related("course", "user")
        .filter(course=course, user_id=request.user.pk, active=True)
        .first()
    )


def course_or_404(request: HttpRequest, slug: str) -> Course:
    """A course whose public pages the visitor may read: published, or they teach it."""
    course = Course.objects.filter(slug=slug).first()
    if course is None:
        raise Http404(NOT_FOUND)
    if not course.published:
        enrolment = enrolment_of(request, course)
        if enrolment is None or not enrolment.is_staff:
            raise Http404(NOT_FOUND)
    return course


def enrolment_or_404(request: HttpRequest, slug: str) -> Enrolment:
    """The visitor's own enrolment, with course and user; students wait until the course is published."""
    enrolment = None
    if request.user.is_authenticated:
        enrolment = (
            Enrolment.objects.select_related("course", "user")
            .filter(course__slug=slug, user_id=request.user.pk, active=True)
            .first()
        )
    if enrolment is None or not (enrolment.course.published or enrolment.is_staff):
        raise Http404(NOT_FOUND)
    return enrolment


def staff_enrolment_or_404(request: HttpRequest, slug: str) -> Enrolment:
    """The visitor's enrolment as an assistant or instructor."""
    return _with_role(enrolment_or_404(request, slug), *STAFF_ROLES)


def instructor_enrolment_or_404(request: HttpRequest, slug: str) -> Enrolment:
    """The visitor's enrolment as an instructor."""
    return _with_role(enrolment_or_404(request, slug), Role.INSTRUCTOR)


def _with_role(enrolment: Enrolment, *roles: Role) -> Enrolment:
    if enrolment.role not in roles:
        raise Http404(NOT_FOUND)
    return enrolment
