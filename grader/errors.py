"""Failures that are ours. What a student's code does wrong is never an exception: it is a verdict."""


class GraderError(Exception):
    """Something on our side failed; the attempt becomes `internal_error` and is tried again."""


class WallError(GraderError):
    """A wall or a zygote could not be built on this host, or died while nobody misbehaved."""


class NoWallError(WallError):
    """This host can build no wall at all, so grading refuses to start."""


class LabError(GraderError):
    """A lab folder is broken. The message names the file, the key or line, and the remedy."""


class NotebookError(ValueError):
    """A notebook that somebody handed in cannot be read. The message names the cell and the remedy."""


class Cancelled(Exception):
    """Campus or an operator wants a grading to end; nobody's failure."""
