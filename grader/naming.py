"""Named mistakes: a wrong answer that equals the answer of a file of `wrong/` gets that file's hint.

After all verdicts are told, the files that name a failed check are run in a jail, within the check's limits
and on the very inputs of the trial that failed. What they answer is kept for the next student who meets the
same inputs. All of it has one budget of time, and ends with the grading.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from grader import notebook
from grader.checks import Check
from grader.compare import compare
from grader.conversation import Answered, Conversation, outputs_of
from grader.errors import LabError
from grader.inside.wire import WireClosed, WireError, WireTimeout
from grader.mistakes import Mistake, read_mistakes
from grader.protocol import Verdict
from grader.referee import Frame, Referee
from grader.sandbox.jail import MemoryExceeded, OutputFlood
from grader.services import ServiceDesk
from grader.session import NotebookEnded, NotebookSession
from labs.catalog import Lab

BUDGET_SECONDS = 8.0
MAX_KEPT = 500
MAX_KEPT_BYTES = 64 * 1024
NO_ANSWER = (
    Answered,
    NotebookEnded,
    WireTimeout,
    WireClosed,
    WireError,
    MemoryExceeded,
    OutputFlood,
)
_kept: "OrderedDict[str, Any]" = OrderedDict()


class Namer:
    """Looks for the mistakes behind one submission's failures."""

    def __init__(
        self,
        lab: Lab,
        referee: Referee,
        seed: str,
        new_session: Callable[[Sequence[notebook.CodeCell]], NotebookSession],
    ) -> None:
        self.lab, self.referee, self.seed = lab, referee, seed
        self.new_session = new_session
        self.deadline = time.monotonic() + BUDGET_SECONDS
        try:
            self.mistakes = read_mistakes(lab.folder / "wrong")
        except LabError:  # lint says so; no student should suffer from it
            self.mistakes = []
        self._sessions: dict[str, NotebookSession] = {}

    def name(self, failed: Conversation) -> Mistake | None:
        """The mistake that gives this very answer, if one is known and there is time to find out."""
        check = failed.check
        if check.worlds or failed.outputs is None:
            return None
        for mistake in self.mistakes:
            if mistake.caught_by.get(check.name) is not Verdict.FAILED:
                continue
            if time.monotonic() > self.deadline:
                return None
            theirs = self._answer(mistake, failed)
            if theirs is not None and compare(failed.outputs, theirs, check.tolerance) is None:
                return mistake
        return None

    def _answer(self, mistake: Mistake, failed: Conversation) -> Any:
        """What the mistake's file answers on the inputs that the student failed on; None: nothing."""
        key = _key(self.lab, mistake, failed.check, failed.inputs[0])
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
        answer = self._asked(mistake, failed)
        if sum(map(len, failed.inputs[0])) <= MAX_KEPT_BYTES:
            _kept[key] = answer
            while len(_kept) > MAX_KEPT:
                _kept.popitem(last=False)
        return answer

    def _asked(self, mistake: Mistake, failed: Conversation) -> Any:
        check, trial = failed.check, failed.passed
        session = self._session(mistake)
        limits = check.limits_within(self.lab.limits)
        services = self.referee.services(check, failed.inputs[0], self.seed, trial)
        desk = ServiceDesk(services)
        exchange = None
        try:
            with session.question(limits) as exchange:
                exchange.deadline = min(exchange.deadline, self.deadline)
                has_services = check.services is not None
                exchange.say(check.question())
                if has_services:
                    exchange.say({"services": desk.described()})
                exchange.say_parts(failed.inputs[0])
                return outputs_of(Conversation.hear_answer(exchange, desk), session)
        except NO_ANSWER as error:
            if not isinstance(error, Answered | NotebookEnded):
                session.after_trouble(error, exchange)
            return None

    def _session(self, mistake: Mistake) -> NotebookSession:
        name = mistake.file.name
        if name not in self._sessions:
            answers = {**notebook.reference_answers(self.lab), **mistake.cells}
            self._sessions[name] = self.new_session(notebook.restore(self.lab, answers))
        return self._sessions[name]

    def close(self) -> None:
        """End the jails of the mistakes."""
        for session in self._sessions.values():
            session.close()


def _key(lab: Lab, mistake: Mistake, check: Check, inputs: Frame) -> str:
    digest = hashlib.sha256(f"{lab.content_hash} {check.name} {mistake.cells}".encode())
    for part in inputs:
        digest.update(part)
    return digest.hexdigest()
