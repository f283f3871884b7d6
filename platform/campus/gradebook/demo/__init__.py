"""Data for looking at the pages: made-up students with plausible submissions. Never part of a course."""
