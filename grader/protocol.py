"""The messages between campus, workers and the grader: one file, so that both ends always agree.

Everything is frozen and validated at the edge. A `Verdict` says what happened to the student's code
in one check; `INTERNAL_ERROR` alone means that the fault was ours. Points are `Decimal`.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PROTOCOL_VERSION: Literal[1] = 1
MAX_NOTEBOOK_BYTES = 5 * 1024 * 1024
MAX_RANKS = 16
MAX_SPANS = 250  # of one rank; the whole picture travels with its check
MAX_REPORT_BYTES = 5 * 1024 * 1024  # what campus takes is a little more

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Points = Annotated[Decimal, Field(ge=0, le=10_000, max_digits=8, decimal_places=3)]
LeaseToken = Annotated[str, Field(min_length=20, max_length=128)]


class Message(BaseModel):
    """Frozen, closed and versioned: an unknown field is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Verdict(StrEnum):
    """What one check found. The first eight describe the student's code; the last one is our fault."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_LIMIT = "output_limit"
    REJECTED = "rejected"
    NOT_REACHED = "not_reached"
    INTERNAL_ERROR = "internal_error"


class Limits(Message):
    """What a submission may use. A check may have limits of its own; the rest falls back to the lab's."""

    notebook_wall_seconds: float = Field(default=20.0, gt=0, le=600)
    check_wall_seconds: float = Field(default=5.0, gt=0, le=600)
    # Processor time, of all processes of the notebook's run or of the check together.
    cpu_seconds: float = Field(default=60.0, gt=0, le=3600)
    check_cpu_seconds: float = Field(default=60.0, gt=0, le=3600)
    memory_mib: int = Field(default=512, ge=64, le=65536)
    output_kib: int = Field(default=256, ge=1, le=65536)
    answer_mib: int = Field(default=16, ge=1, le=1024)
    tmp_mib: int = Field(default=64, ge=1, le=4096)
    processes: int = Field(default=64, ge=4, le=1024)


class ElementDifference(Message):
    """The first element in which an answer differs from the reference's."""

    path: str = Field(max_length=200)  # e.g. grad[0, 2]
    got: str = Field(max_length=400)
    expected: str = Field(max_length=400)
    relative_error: float | None = None


class TraceLine(Message):
    """One frame of a traceback that lies in a cell of the notebook."""

    cell: str = Field(max_length=100)
    line: int = Field(ge=0, le=1_000_000)
    source: str = Field(default="", max_length=400)
    function: str = Field(default="", max_length=200)


class ExceptionInfo(Message):
    """A student's exception: its type, its text and the frames that lie in their own cells."""

    type: str = Field(max_length=200)
    text: str = Field(default="", max_length=2000)
    trace: tuple[TraceLine, ...] = Field(default=(), max_length=50)


class Span(Message):
    """Something that one rank did with the network, on the clock of its check's trial.

    `end` is when the rank could go on: for a message that nobody awaited, when it was handed over.
    """

    kind: str = Field(max_length=24)  # send, recv, barrier, all_reduce, …
    start: float = Field(ge=0, le=86_400)  # seconds
    end: float = Field(ge=0, le=86_400)
    peer: int | None = Field(default=None, ge=0, lt=MAX_RANKS)  # None: all of them
    bytes: int = Field(default=0, ge=0)
    waited: float = Field(default=0.0, ge=0, le=86_400)  # of it, how long the rank stood still


class RankRecord(Message):
    """One row of the rank × time picture, and how this rank ended where it did not end well."""

    rank: int = Field(ge=0, lt=MAX_RANKS)
    spans: tuple[Span, ...] = Field(default=(), max_length=MAX_SPANS)
    messages: int = Field(default=0, ge=0)  # that it sent; `spans` may have been cut
    bytes: int = Field(default=0, ge=0)
    ended: float | None = Field(default=None, ge=0, le=86_400)  # None: it was still at it
    error: str = Field(default="", max_length=500)


class CheckResult(Message):
    """What one check found, with all that a reader needs to understand and reproduce it."""

    check: str = Field(max_length=100)
    exercise: str = Field(max_length=20)
    title: str = Field(max_length=300)
    verdict: Verdict
    points: Points
    max_points: Points
    hidden: bool = False
    message: str = Field(default="", max_length=2000)
    hint: str = Field(default="", max_length=1000)
    difference: ElementDifference | None = None
    inputs: str = Field(default="", max_length=8000)  # Python text that makes the inputs again
    exception: ExceptionInfo | None = None
    stdout: str = Field(default="", max_length=8000)
    trials_passed: int = Field(default=0, ge=0)
    trials: int = Field(default=1, ge=1)
    seconds: float = Field(default=0.0, ge=0)
    mistake: str = Field(default="", max_length=100)  # the file of wrong/ that answers the same
    timeline: tuple[RankRecord, ...] = Field(default=(), max_length=MAX_RANKS)


class CellResult(Message):
    """How one executed cell of the notebook ended."""

    cell: str = Field(max_length=100)
    ended: Literal["ok", "error", "not_run"] = "ok"
    exception: ExceptionInfo | None = None
    seconds: float = Field(default=0.0, ge=0)


class ManualResult(Message):
    """A cell that waits for a human; it is no zero and in no sum until somebody has graded it."""

    cell: str = Field(max_length=100)
    exercise: str = Field(max_length=20)
    title: str = Field(max_length=300)
    max_points: Points
    answered: bool


class Flag(Message):
    """Something that a human should look at. A flag never changes a score."""

    kind: Slug  # e.g. "forbidden", "tracer"
    text: str = Field(max_length=500)
    cell: str = Field(default="", max_length=100)
    line: int = Field(default=0, ge=0, le=1_000_000)


class GradingRequest(Message):
    """One attempt to grade. `seed` is derived from the course's secret, which workers never hold."""

    version: Literal[1] = 1
    attempt: str = Field(max_length=64)
    lab: Slug
    lab_hash: Sha256
    submission_sha256: Sha256
    seed: Sha256
    notebook: str = Field(max_length=MAX_NOTEBOOK_BYTES)


class GradingReport(Message):
    """The outcome of one attempt: either every check has a result, or `failure` says what broke here."""

    version: Literal[1] = 1
    attempt: str = Field(max_length=64)
    lab: Slug
    lab_hash: Sha256
    submission_sha256: Sha256
    results: tuple[CheckResult, ...] = Field(default=(), max_length=500)
    cells: tuple[CellResult, ...] = Field(default=(), max_length=1000)
    notebook_stdout: str = Field(default="", max_length=70_000)
    score: Points = Decimal(0)
    max_score: Points = Decimal(0)
    wall: str = Field(default="", max_length=40)
    unsafe: bool = False
    failure: str = Field(default="", max_length=2000)
    reference_number: str = Field(default="", max_length=40)
    seconds: float = Field(default=0.0, ge=0)
    stages: dict[str, float] = Field(default_factory=dict, max_length=40)
    flags: tuple[Flag, ...] = Field(default=(), max_length=100)
    # "notebook": the notebook's own asserts gave the points, so that it could have given itself any
    graded_by: Literal["referee", "notebook"] = "referee"
    manual: tuple[ManualResult, ...] = Field(default=(), max_length=500)  # not in the scores above


# --- worker ⇄ campus --------------------------------------------------------------------------------


class WorkerAnnouncement(Message):
    """What a worker process tells campus when it has warmed up, and again every half minute."""

    version: Literal[1] = 1
    name: str = Field(min_length=1, max_length=100)  # host and slot, e.g. "lab-3/0"
    boot: str = Field(
        min_length=8, max_length=64
    )  # new for every process: tells a restart from a pause
    capabilities: tuple[Literal["cpu", "gpu"], ...] = ("cpu",)
    labs: dict[Slug, Sha256] = Field(default_factory=dict, max_length=1000)
    wall: str = Field(max_length=40)
    unsafe: bool = False
    software: str = Field(default="", max_length=100)


class ClaimRequest(WorkerAnnouncement):
    """Asks for the next attempt that this worker can grade. A claim announces as well."""


class Claim(Message):
    """An attempt handed to a worker, under a lease that only the token renews."""

    version: Literal[1] = 1
    request: GradingRequest
    lease_token: LeaseToken
    lease_seconds: int = Field(ge=1, le=3600)
    heartbeat_seconds: int = Field(ge=1, le=600)


class Heartbeat(Message):
    version: Literal[1] = 1
    lease_token: LeaseToken


class HeartbeatAnswer(Message):
    version: Literal[1] = 1
    decision: Literal["continue", "cancel"]


class CheckDone(Message):
    """Verdicts as they fall; sent again after a lost answer they change nothing."""

    version: Literal[1] = 1
    lease_token: LeaseToken
    results: tuple[CheckResult, ...] = Field(min_length=1, max_length=500)


class Finish(Message):
    version: Literal[1] = 1
    lease_token: LeaseToken
    report: GradingReport
