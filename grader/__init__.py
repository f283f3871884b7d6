"""Sealed grading: the student's process answers questions, the referee compares, nobody else scores."""
