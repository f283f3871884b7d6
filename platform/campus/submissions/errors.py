"""Why something that a student handed in was not taken. Each message is a sentence for them."""


class SubmissionRefusedError(Exception):
    """Nothing was stored. `code` is for programs, the message for people."""

    code = "refused"
    status = 422


class NotReleasedError(SubmissionRefusedError):
    code = "not_released"
    status = 404


class PastCutOffError(SubmissionRefusedError):
    code = "past_cut_off"
    status = 409


class TooLargeError(SubmissionRefusedError):
    code = "too_large"
    status = 413


class UnreadableAnswersError(SubmissionRefusedError):
    code = "unreadable"


class LabMissingError(SubmissionRefusedError):
    """Our fault: the assignment names a lab that cannot be read on this server."""

    code = "lab_missing"
    status = 503


class LeaseLostError(Exception):
    """The worker's token is not the attempt's current one: expired, requeued, cancelled or foreign."""


class ReportRefusedError(Exception):
    """A report that cannot be true of this lab; the message says why. The attempt is not finished."""
