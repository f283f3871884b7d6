"""The one form in which a notebook is stored: the same answers always give the same bytes."""

import hashlib
from collections.abc import Mapping

import structlog

from campus.assignments.models import Assignment
from campus.submissions.errors import (
    LabMissingError,
    TooLargeError,
    UnreadableAnswersError,
)
from grader.api import MAX_NOTEBOOK_BYTES
from labs.catalog import Lab, LabError, NotebookError, get_lab, read_answers, student_notebook

log = structlog.get_logger()


def canonical_notebook(
    assignment: Assignment,
    *,
    answers: Mapping[str, str] | None = None,
    notebook: bytes | None = None,
) -> tuple[Lab, bytes]:
    """The lab and the canonical .ipynb of these answers, or of those in an uploaded notebook.

    Raises:
        SubmissionRefusedError: too large, unreadable, or the lab cannot be found here.
    """
    if (answers is None) == (notebook is None):
        raise TypeError("give either answers or a notebook")
    lab = lab_of(assignment)
    _refuse_large(len(notebook) if notebook is not None else _size(answers or {}))
    try:
        content = student_notebook(
            lab, answers if notebook is None else read_answers(lab, notebook)
        )
    except NotebookError as error:
        raise UnreadableAnswersError(f"This could not be handed in: {error}.") from None
    except UnicodeEncodeError:
        raise UnreadableAnswersError(
            "This could not be handed in: an answer has half a character (a lone surrogate) in it."
        ) from None
    _refuse_large(len(content))
    return lab, content


def lab_of(assignment: Assignment) -> Lab:
    """The assignment's lab.

    Raises:
        LabMissingError: it has none, or its folder is missing or broken; the log has the details.
    """
    if not assignment.lab:
        raise LabMissingError(f"{assignment} is not handed in on this site.")
    try:
        return get_lab(assignment.lab)
    except LabError as error:
        log.error("lab_unreadable", lab=assignment.lab, error=str(error))  # noqa: TRY400 - it says all
        raise LabMissingError(
            "This lab cannot be read on the server just now. That is our fault; your draft is safe. "
            "Please try again later or tell the course staff."
        ) from error


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _size(answers: Mapping[str, str]) -> int:
    return sum(len(source) for source in answers.values())


def _refuse_large(size: int) -> None:
    if size > MAX_NOTEBOOK_BYTES:
        limit = MAX_NOTEBOOK_BYTES // (1024 * 1024)
        raise TooLargeError(
            f"The notebook is larger than {limit} MiB, so it was not handed in. "
            "Remove large texts from your answers and submit again."
        )
