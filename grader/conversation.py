"""The trials of one check: inputs out, calls of services in between, an answer in; then it is judged.

The next inputs are sent only after the answer to those before. What a frame says is tested for its type
before it is used; whatever is not as agreed is a `WireError`, and that a verdict.
"""

import time
from typing import Any

from grader.checks import Check
from grader.clock import TookTooLong
from grader.inside.wire import WireClosed, WireError
from grader.protocol import ElementDifference, Limits, Verdict
from grader.referee import Frame, Referee
from grader.sandbox.jail import Exchange
from grader.services import SERVICE_SECONDS, ServiceDesk, TooManyCalls
from grader.session import NotebookSession, clean, ending_of


class Answered(Exception):
    """A trial that settles the check's verdict before its last trial."""

    def __init__(self, verdict: Verdict, *, ended: bool = False, **fields: Any) -> None:
        super().__init__(verdict)
        self.verdict, self.fields = verdict, fields
        self.ended = ended  # by the end of its process, which another check may have killed


class Conversation:
    """One check, asked over one exchange."""

    def __init__(self, referee: Referee, session: NotebookSession, check: Check, seed: str) -> None:
        self.referee = referee
        self.session = session
        self.check = check
        self.seed = seed
        self.inputs: list[Frame] = []
        self.outputs: Any = None  # of the trial that failed, for who looks for a known mistake
        self.passed = 0

    def shown_inputs(self) -> dict[str, Any]:
        return self.referee.shown_inputs(self.inputs) if self.inputs else {}

    def hold(self, exchange: Exchange) -> None:
        """Raises `Answered` at the first trial that does not pass."""
        has_services = self.check.services is not None
        exchange.say(self.check.question())
        busy = 0.0
        for trial in range(self.check.trials):
            self.inputs = self.referee.inputs(self.check, self.seed, trial)
            desk = ServiceDesk(self._services(trial), busy)
            if has_services:
                exchange.say({"services": desk.described()})
            exchange.say_parts(self.inputs[0])
            # The reference computes while the jail does; what it gives never leaves this process.
            # The time that it takes is not the student's.
            began = time.monotonic()
            expected = (
                self.referee.expected(self.check, self.inputs, self._services(trial))
                if self.check.compares
                else None
            )
            exchange.deadline += time.monotonic() - began
            frame = self.hear_answer(exchange, desk)
            busy = desk.seconds
            self.judge(outputs_of(frame, self.session), expected, desk.services)
            complain_of_changes([frame])
            self.passed += 1

    def _services(self, trial: int) -> Any:
        return self.referee.services(self.check, self.inputs[0], self.seed, trial)

    @staticmethod
    def hear_answer(exchange: Exchange, desk: ServiceDesk) -> Any:
        """The answer, after all calls of services that come before it."""
        while True:
            frame = exchange.hear()
            if not (isinstance(frame, dict) and frame.keys() == {"call"}):
                return frame
            began = time.monotonic()
            try:
                reply = desk.answer(frame["call"])
            except TooManyCalls as error:
                raise Answered(Verdict.FAILED, message=clean(error, 500)) from None
            except TookTooLong:
                message = f"Its calls kept a service busy for over {SERVICE_SECONDS:g} s."
                raise Answered(Verdict.TIMED_OUT, message=message) from None
            exchange.deadline += time.monotonic() - began
            exchange.say_parts(reply)

    def judge(self, outputs: Any, expected: Any, facts: Any) -> None:
        self.outputs = outputs
        mismatch = self.referee.judge(self.check, self.inputs, outputs, expected, facts)
        if mismatch is None:
            return
        difference = None
        if mismatch.got or mismatch.expected:
            difference = ElementDifference(
                path=clean(mismatch.path, 200),
                got=clean(mismatch.got, 400),
                expected=clean(mismatch.expected, 400),
                relative_error=mismatch.relative_error,
            )
        message = clean(mismatch.message, 2000)
        raise Answered(Verdict.FAILED, message=message, difference=difference)


def outputs_of(frame: Any, session: NotebookSession) -> Any:
    """What a check's body returned.

    Raises:
        Answered: it returned nothing, and this is why. WireError: this is no answer.
    """
    if not isinstance(frame, dict):
        raise WireError("a check answered something else than its outputs")
    if "exception" in frame:
        raise _exception(frame["exception"], session)
    if "ended" in frame:
        raise _ended(frame["ended"], session.limits)
    if "unsendable" in frame:
        raise Answered(Verdict.REJECTED, message=clean(frame["unsendable"], 500))
    if "outputs" not in frame:
        raise WireError("a check answered without outputs")
    return frame["outputs"]


def complain_of_changes(frames: list[Any]) -> None:
    """Raises `Answered` if the values are right but an input was changed on the way."""
    for rank, frame in enumerate(frames):
        changed = frame.get("changed")
        if isinstance(changed, list) and changed:
            names = ", ".join(clean(name, 60) for name in changed[:5])
            where = f" on rank {rank}" if len(frames) > 1 else ""
            message = f"The values are right, but the input {names} was changed{where}."
            raise Answered(Verdict.FAILED, message=message)
        aliased = frame.get("aliased")
        if isinstance(aliased, list) and aliased:
            names = ", ".join(clean(name, 60) for name in aliased[:5])
            message = (
                f"The values are right, but they lie in the memory of the input {names}: copy."
            )
            raise Answered(Verdict.FAILED, message=message)


def _exception(told: Any, session: NotebookSession) -> Answered:
    info = session.exception(told)
    if info.type == "NotImplementedError":
        message = "This part is not implemented yet."
    else:
        message = clean(f"{info.type}: {info.text}".rstrip(": "), 2000)
    memory = info.type in ("MemoryError", "_ArrayMemoryError") or (
        info.type == "OSError" and info.text.startswith("[Errno 12]")  # ENOMEM, from mmap
    )
    return Answered(
        Verdict.OUT_OF_MEMORY if memory else Verdict.ERROR, message=message, exception=info
    )


def _ended(status: Any, limits: Limits) -> Answered:
    code = status if isinstance(status, int) and -64 <= status <= 255 else None
    ending = ending_of(WireClosed(), code, limits)
    return Answered(ending.verdict, ended=True, message=f"The check {ending.message}.")
