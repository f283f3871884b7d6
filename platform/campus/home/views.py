"""The course list and a course's home page."""

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from campus.assignments.models import GradingComponent
from campus.courses.access import course_or_404, enrolment_of
from campus.courses.models import STAFF_ROLES, Course, Enrolment, TeachingTeamMember
from campus.home.progress import progress_in
from campus.home.weights import weight_bar
from campus.schedule.deadlines import Deadline, assignments_of, deadlines
from campus.schedule.syllabus import Phase, ShownWeek, shown_weeks, term_of, weeks_of

NEXT_SHOWN = 3


@require_safe
def courses(request: HttpRequest) -> HttpResponse:
    """Every course that the visitor may see; where there is only one, that one."""
    own: dict[int, Enrolment] = {}
    if request.user.is_authenticated:
        enrolments = Enrolment.objects.filter(user_id=request.user.pk, active=True)
        own = {enrolment.course_id: enrolment for enrolment in enrolments}
    taught = [course for course, enrolment in own.items() if enrolment.role in STAFF_ROLES]
    visible = list(Course.objects.filter(Q(published=True) | Q(pk__in=taught)))
    if len(visible) == 1:
        return redirect("courses:home", visible[0].slug)
    context = {
        "own": [(course, own[course.pk]) for course in visible if course.pk in own],
        "others": [course for course in visible if course.pk not in own],
    }
    return render(request, "courses/list.html", context)


@require_safe
def home(request: HttpRequest, slug: str) -> HttpResponse:
    """What to do now, this week's topics, and what the course is."""
    course = course_or_404(request, slug)
    enrolment = enrolment_of(request, course)
    for_staff = enrolment is not None and enrolment.is_staff
    now = timezone.now()
    weeks = weeks_of(course)
    assignments = list(assignments_of(course, for_staff=for_staff))
    shown = shown_weeks(course, weeks, assignments, now, for_staff=for_staff)
    lines = deadlines(course, assignments, now, for_staff=for_staff)
    term = term_of(weeks, now.astimezone(course.zone).date())
    week, week_title = week_to_show(shown, term.phase)
    next_lines = next_due(lines)
    progress = progress_in(lines, enrolment)
    context = {
        "course": course,
        "enrolment": enrolment,
        "term": term,
        "next": [(line, progress.get(line.assignment.pk)) for line in next_lines],
        "labs": [one for one in progress.values() if one.deadline not in next_lines],
        "week": week,
        "week_title": week_title,
        "team": TeachingTeamMember.objects.filter(course=course),
        "grading": weight_bar(GradingComponent.objects.filter(course=course)),
    }
    return render(request, "courses/home.html", context)


def next_due(lines: list[Deadline]) -> list[Deadline]:
    """What is due next among the things that are already there to be done."""
    return [line for line in lines if line.assignment.due_at and line.released and not line.over][
        :NEXT_SHOWN
    ]


def week_to_show(weeks: list[ShownWeek], phase: Phase) -> tuple[ShownWeek | None, str]:
    """This week, or the one that comes next; none once the course is over."""
    if phase is Phase.AFTER:
        return None, ""
    current = next((week for week in weeks if week.is_current), None)
    if current is not None:
        return current, "This week"
    coming = next((week for week in weeks if not week.is_past), None)
    return coming, "Next on" if phase is Phase.RUNNING else "The first week"
