"""The first pages that anybody sees: the courses, and one course's home.

They bring together what the other apps know (weeks, deadlines, own progress), so they stand above them
all; their templates are in courses/templates/.
"""
