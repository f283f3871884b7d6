"""Why a worker is turned away."""


class WorkerRefusedError(Exception):
    """`status` and `code` are for the worker, the message for whoever reads its log."""

    status = 403
    code = "refused"


class NameTakenError(WorkerRefusedError):
    """Two live processes use one name; the one that came first has to find another."""

    status = 409
    code = "name_taken"


class UnsafeWorkerError(WorkerRefusedError):
    code = "unsafe_worker"
