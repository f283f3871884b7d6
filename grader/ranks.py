"""A check on several ranks: a jail for each, the switch between them, one verdict for all.

The jails are opened when the first such check is asked, run the notebook at the same time, and are kept
for all further ones. Rank 0 answers in the jail that answers all other checks.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from grader.checks import Check
from grader.conversation import Answered, Conversation, complain_of_changes, outputs_of
from grader.inside.wire import WireClosed, WireError
from grader.protocol import Limits, RankRecord, Verdict
from grader.referee import Referee, generator
from grader.sandbox.jail import Exchange
from grader.session import BEGINNINGS, NotebookEnded, NotebookSession, clean, ending_of
from grader.switch import TROUBLE, NetworkFailed, OutOfTime, RankTrouble, Switch

SHOWN_OUTPUT = 4_000


class NotBegun(WireClosed):
    """A rank ended before it had a process for the check, so that nothing in it can be at fault."""


class RankSessions:
    """One submission's notebook, once for each rank."""

    def __init__(self, first: NotebookSession, another: Callable[[], NotebookSession]) -> None:
        self._sessions = [first]
        self._another = another

    def of(self, world: int) -> list[NotebookSession]:
        """Sessions for ranks 0 to world − 1, in each of which the notebook has run."""
        while len(self._sessions) < world:
            self._sessions.append(self._another())
        sessions = self._sessions[:world]
        for session in sessions:
            if session.fresh:
                session.leave_process()
        with ThreadPoolExecutor(world, "rank") as pool:
            list(pool.map(NotebookSession.ensure_notebook, sessions))
        return sessions

    def close(self) -> None:
        """End the jails of all ranks but the first, which is the submission's own."""
        for session in self._sessions[1:]:
            session.close()


class RankConversation(Conversation):
    """The trials of one check with ranks."""

    def __init__(self, referee: Referee, sessions: RankSessions, check: Check, seed: str) -> None:
        self.sessions = sessions.of(max(check.worlds))
        super().__init__(referee, self.sessions[0], check, seed)
        self.timeline: tuple[RankRecord, ...] = ()
        self.stdout = ""

    def ask(self, limits: Limits) -> tuple[Verdict, dict[str, Any]]:
        """All trials, to the verdict."""
        for left in reversed(range(BEGINNINGS)):
            try:
                verdict, fields = self._ask(limits)
                break
            except NotBegun as error:
                self.passed = 0  # what an earlier check did has ended a notebook; it is run anew
                if not left:
                    ending = ending_of(error, None, limits)
                    verdict, fields = ending.verdict, {"message": f"The check {ending.message}."}
        for session in self.sessions:
            if session.in_place:  # one rank's answer says nothing about what the others still do
                session.leave_process()
        return verdict, {"stdout": self.stdout, "timeline": self.timeline} | fields

    def _ask(self, limits: Limits) -> tuple[Verdict, dict[str, Any]]:
        with ExitStack() as stack:
            try:
                exchanges = self._open(stack, limits)
            except NotebookEnded as ended:
                return ended.ending.verdict, {"message": f"The notebook {ended.ending.message}."}
            except TROUBLE as error:  # a jail ended in the moment in which it was asked
                if isinstance(error, WireClosed):
                    raise NotBegun from None
                ending = ending_of(error, None, limits)
                return ending.verdict, {"message": f"The check {ending.message}."}
            try:
                self._hold_all(exchanges)
            except Answered as answered:
                return answered.verdict, answered.fields
            except RankTrouble as trouble:
                return self._after(trouble, exchanges, limits)
            finally:
                self.stdout = _printed(exchanges)
        return Verdict.PASSED, {}

    def _open(self, stack: ExitStack, limits: Limits) -> list[Exchange]:
        """A question to every rank, all with the same deadline."""
        with ThreadPoolExecutor(len(self.sessions), "rank") as pool:
            opening = [pool.submit(_entered, session, limits) for session in self.sessions]
        opened, troubles = [], []
        for future in opening:
            if (error := future.exception()) is not None:
                troubles.append(error)
                continue
            own, exchange = future.result()
            stack.push(own)
            opened.append(exchange)
        if troubles:
            raise troubles[0]
        deadline = time.monotonic() + limits.check_wall_seconds
        for exchange in opened:
            exchange.deadline = deadline
        return opened

    def _hold_all(self, exchanges: list[Exchange]) -> None:
        self._to_each(exchanges, [self.check.question()] * len(exchanges))
        for trial in range(self.check.trials):
            world = self.check.world(trial)
            self.inputs = self.referee.inputs(self.check, self.seed, trial)
            asked = exchanges[:world]
            collectives = self.check.network.collectives
            self._to_each(asked, [{"ranks": [r, world, collectives]} for r in range(world)])
            for rank, exchange in enumerate(asked):
                _or_trouble(rank, exchange.say_parts, self.inputs[rank])
            began = time.monotonic()
            expected = (
                self.referee.expected(self.check, self.inputs) if self.check.compares else None
            )
            spent = time.monotonic() - began
            for exchange in exchanges:
                exchange.deadline += spent
            self._judge_trial(asked, expected, trial)
            self.passed += 1

    def _judge_trial(self, asked: list[Exchange], expected: Any, trial: int) -> None:
        seed = generator(self.seed, f"{self.check.name}|{trial}|network").integers(2**63)
        switch = Switch(asked, self.check.network, int(seed))
        try:
            frames = switch.run()
        except NetworkFailed as failure:
            raise Answered(Verdict.FAILED, message=clean(failure, 2000)) from None
        except OutOfTime as waits:
            message = f"The ranks ran longer than they may: {waits}."
            raise Answered(Verdict.TIMED_OUT, message=clean(message, 2000)) from None
        finally:
            self.timeline = switch.timeline()
        if switch.failed:
            raise self._failure(switch, frames)
        outputs = [self._outputs(rank, frame) for rank, frame in enumerate(frames)]
        self.judge(outputs, expected, switch.traffic())
        complain_of_changes(frames)

    def _failure(self, switch: Switch, frames: list[Any]) -> Answered:
        """The rank that failed first, and what it meant for the others."""
        rank = switch.failed[0]
        try:
            self._outputs(rank, frames[rank])
        except Answered as answered:
            text = answered.fields.get("message", "")
            info = answered.fields.get("exception")
            if info is None or info.type != "NotImplementedError":
                after = switch.consequences()
                text = f"rank {rank}: {text}" + (f" ({after})" if after else "")
            self.timeline = tuple(
                record.model_copy(update={"error": clean(text, 500)})
                if record.rank == rank
                else record
                for record in self.timeline
            )
            answered.fields["message"] = clean(text, 2000)
            return answered
        raise AssertionError("a rank failed with an answer")

    def _outputs(self, rank: int, frame: Any) -> Any:
        """What one rank's body returned.

        Raises:
            Answered: nothing, and why. RankTrouble: its frame is no answer.
        """
        try:
            return outputs_of(frame, self.session)
        except WireError as error:
            raise RankTrouble(rank, error) from None

    def _after(
        self, trouble: RankTrouble, exchanges: list[Exchange], limits: Limits
    ) -> tuple[Verdict, dict[str, Any]]:
        """A rank did not answer: put its jail right, and say what it met."""
        exchange, session = exchanges[trouble.rank], self.sessions[trouble.rank]
        status = session.after_trouble(trouble.error, exchange)
        if session.not_begun(trouble.error, exchange):
            raise NotBegun
        ending = ending_of(trouble.error, status, limits)
        return ending.verdict, {"message": f"rank {trouble.rank}: The check {ending.message}."}

    @staticmethod
    def _to_each(exchanges: list[Exchange], values: list[Any]) -> None:
        for rank, (exchange, value) in enumerate(zip(exchanges, values, strict=True)):
            _or_trouble(rank, exchange.say, value)


def _or_trouble(rank: int, say: Callable[[Any], None], value: Any) -> None:
    try:
        say(value)
    except TROUBLE as error:
        raise RankTrouble(rank, error) from None


def _entered(session: NotebookSession, limits: Limits) -> tuple[ExitStack, Exchange]:
    """A question that is open until the stack is closed."""
    stack = ExitStack()
    return stack, stack.enter_context(session.question(limits))


def _printed(exchanges: list[Exchange]) -> str:
    """What the ranks printed, each under its name where there is more than one."""
    texts = []
    for rank, exchange in enumerate(exchanges):
        exchange.drain()
        if text := exchange.output.text():
            texts.append(f"[rank {rank}]\n{text}" if len(exchanges) > 1 else text)
    return clean("\n".join(texts)[-SHOWN_OUTPUT:], SHOWN_OUTPUT)
