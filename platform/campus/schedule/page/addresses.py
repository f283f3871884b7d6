"""Relative links of a page, which lead somewhere only from where the page itself stands."""

from dataclasses import replace
from urllib.parse import urljoin

from campus.schedule.page.problems import Findings
from campus.schedule.page.shapes import CoursePage, PageMeeting, PageResource, PageWeek


def with_absolute_links(page: CoursePage, base: str, findings: Findings) -> CoursePage:
    """The page with its resources' addresses joined to `base`; without one they are only noted."""

    def of_resource(resource: PageResource, week: PageWeek) -> PageResource:
        if not resource.url or resource.url.startswith(("http://", "https://")):
            return resource
        if base:
            return replace(resource, url=urljoin(base, resource.url))
        findings.note(
            resource.line,
            f"week{week.number}.topics",
            resource.url,
            "a relative address; shown without a link unless --links-base says where it leads",
        )
        return resource

    def of_meeting(meeting: PageMeeting, week: PageWeek) -> PageMeeting:
        return replace(
            meeting, resources=tuple(of_resource(resource, week) for resource in meeting.resources)
        )

    return replace(
        page,
        weeks=tuple(
            replace(week, meetings=tuple(of_meeting(meeting, week) for meeting in week.meetings))
            for week in page.weeks
        ),
    )
