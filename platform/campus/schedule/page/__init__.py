"""Reading course pages. Pure: no Django, no clock, no network."""

from campus.schedule.page.problems import Note, Problem
from campus.schedule.page.reader import Reading, read_page
from campus.schedule.page.shapes import CoursePage

__all__ = ["CoursePage", "Note", "Problem", "Reading", "read_page"]
