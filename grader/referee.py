"""The trusted party: makes inputs, runs the reference, compares. The student's process never sees it.

Inputs of trial k come from HMAC(seed, check, k), where the request's seed was derived by campus from
the course's secret, the lab's hash and the submission's: the same submission always meets the same
inputs, and a changed one meets others.
"""

import hmac
import importlib.util
import linecache
import os
import sys
import threading
import traceback
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from grader import notebook
from grader.checks import Check, Inputs, PerRank, collect
from grader.clock import TookTooLong, within
from grader.compare import Mismatch, compare, unfit
from grader.errors import LabError
from grader.inside import wire
from grader.inside.kernel import Notebook, seed_everything
from grader.inside.wire import Frame
from grader.kit import Comm, Network, import_labkit, run_threads
from grader.plain import strange
from grader.services import Service
from labs.catalog import Lab
from labs.labkit.released import describe_inputs

# Triton reads this once, when it is imported, which may be torch's doing: references run on the processor.
os.environ.setdefault("TRITON_INTERPRET", "1")

MAX_INPUT_BYTES = 128 * 2**20
OURS_SECONDS = 20.0  # inputs, services, verify: what has to be quick
REFERENCE_SECONDS = 120.0
_one_at_a_time = threading.Lock()  # references share numpy's global generator


__all__ = ["Frame", "Referee", "decoded", "describe_inputs", "referee_for"]


def decoded(frame: Frame) -> Any:
    """A fresh copy of what a frame carries."""
    return frame.value()


class Referee:
    """One lab, loaded: its checks and its reference.

    Raises:
        LabError: checks.py or the reference cannot be loaded, or a check is unknown to the catalog.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        import_labkit()
        self.checks = self._load_checks(lab)
        self.reference = Notebook(self._load_reference(lab))
        if (torch := sys.modules.get("torch")) is not None:
            torch.set_num_threads(1)  # as in a jail; small operations only wait for threads

    @staticmethod
    def _load_checks(lab: Lab) -> tuple[Check, ...]:
        path = lab.folder / "checks.py"
        name = f"gradus_checks_{lab.slug}_{lab.content_hash[:12]}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise LabError(f"{path} cannot be loaded")
        module = importlib.util.module_from_spec(spec)
        with collect() as checks:
            try:
                spec.loader.exec_module(module)
            except (Exception, SystemExit) as error:
                raise LabError(f"{path}: {type(error).__name__}: {error}") from error
        declared = {info.name for info in lab.checks}
        if {check.name for check in checks} != declared:
            raise LabError(f"{path}: defines other checks than the catalog reads from it")
        return tuple(checks)

    @staticmethod
    def _load_reference(lab: Lab) -> dict[str, Any]:
        module = ModuleType("__main__")
        cells = notebook.restore(lab, notebook.reference_answers(lab))
        seed_everything()
        for cell in cells:
            try:
                name = f"{lab.folder / 'lab.py'}:{cell.id}"
                lines = cell.source.splitlines(keepends=True)
                linecache.cache[name] = (len(cell.source), None, lines, name)  # for triton.jit
                exec(compile(cell.source, name, "exec"), module.__dict__)  # noqa: S102
            except (Exception, SystemExit) as error:
                raise LabError(
                    f"{lab.slug}: reference cell {cell.id!r}: {error!r}; mend it in {lab.folder / 'lab.py'}"
                ) from error
        return module.__dict__

    def inputs(self, check: Check, seed: str, trial: int) -> list[Frame]:
        """The inputs of one trial, encoded: both worlds decode the same bytes. One frame for each rank."""
        rng = generator(seed, f"{check.name}|{trial}")
        made = self._ours(check, "inputs", OURS_SECONDS, check.make_inputs, rng, trial)
        world = check.world(trial)
        frames = [
            self._encoded(check, "inputs", _of_rank(made, rank, world))
            for rank in range(max(1, world))
        ]
        if sum(len(part) for frame in frames for part in frame) > MAX_INPUT_BYTES:
            raise self._broken(check, "inputs", f"are over {MAX_INPUT_BYTES} bytes")
        return frames

    def _encoded(self, check: Check, what: str, value: Any) -> Frame:
        """A frame with what the lab gave.

        Raises:
            LabError: it cannot be sent as it is.
        """
        try:
            frame = wire.encode(value)
        except wire.WireError as error:
            raise self._broken(check, what, f"cannot be sent: {error}") from None
        if b'"x":"' in bytes(frame[1]) and (name := strange(decoded(frame))) is not None:
            raise self._broken(check, what, f"cannot be sent: {name} is no plain data")
        return frame

    def services(self, check: Check, inputs: Frame, seed: str, trial: int) -> dict[str, Service]:
        """New services for one trial: one set for the student, another one for the reference."""
        if check.services is None:
            return {}
        rng = generator(seed, f"{check.name}|{trial}|services")
        made = self._ours(check, "services", OURS_SECONDS, check.services, decoded(inputs), rng)
        return dict(made)

    def expected(
        self, check: Check, inputs: list[Frame], services: dict[str, Service] | None = None
    ) -> Any:
        """What the reference answers; with ranks, the list of what each of them does.

        Raises:
            LabError: the reference fails its own check, does not end, or returns what cannot be sent.
        """
        run = self._run_ranks if check.worlds else self._run
        with _one_at_a_time:
            answer = self._ours(
                check, "the reference", REFERENCE_SECONDS, run, check, inputs, services or {}
            )
        return decoded(self._encoded(check, "the reference's answer", answer))

    def _run(self, check: Check, inputs: list[Frame], services: dict[str, Service]) -> Any:
        seed_everything()
        return check.function(self.reference, **decoded(inputs[0]), **services)

    def _run_ranks(self, check: Check, inputs: list[Frame], services: dict[str, Service]) -> Any:
        def body(comm: Comm) -> Any:
            return check.function(self.reference, comm, **decoded(inputs[comm.rank]))

        network = Network(collectives=check.network.collectives)
        return run_threads(body, len(inputs), network, seed_all=seed_everything)[0]

    def _ours(self, check: Check, what: str, seconds: float, function: Any, *arguments: Any) -> Any:
        """What a part of the lab gives that has to work whatever a student does.

        Raises:
            LabError: it raised, or took longer.
        """
        try:
            return within(seconds, function, *arguments)
        except TookTooLong:
            raise self._broken(check, what, f"took longer than {seconds:g} s") from None
        except (Exception, SystemExit) as error:
            failed = f"failed: {error!r}{self._line_of(error)}"
            raise self._broken(check, what, failed) from error

    def _broken(self, check: Check, what: str, trouble: str) -> LabError:
        """What is wrong with the lab, and what to do."""
        remedy = f"mend it, then run `python -m grader lint {self.lab.folder}`"
        return LabError(f"{self.lab.slug}: {check.name}: {what} {trouble}; {remedy}")

    def _line_of(self, error: BaseException) -> str:
        """Where in the lab's own files it was raised."""
        lines = [
            f" ({frame.f_code.co_filename}, line {line})"
            for frame, line in traceback.walk_tb(error.__traceback__)
            if frame.f_code.co_filename.startswith(str(self.lab.folder))
        ]
        return lines[-1] if lines else ""

    def judge(
        self, check: Check, inputs: list[Frame], outputs: Any, expected: Any, facts: Any = None
    ) -> Mismatch | None:
        """None when the answer is right. With ranks, `outputs` and `expected` are lists by rank."""
        if check.compares:
            mismatch = (
                compare_ranks(outputs, expected, check)
                if check.worlds
                else compare(outputs, expected, check.tolerance)
            )
            if mismatch is not None or check.verify is None:
                return mismatch
        elif (mismatch := unfit(outputs)) is not None:
            return mismatch
        return self._verified(check, inputs, outputs, facts)

    def _verified(
        self, check: Check, inputs: list[Frame], outputs: Any, facts: Any
    ) -> Mismatch | None:
        assert check.verify is not None
        known = {name: value for name, value in {check.facts: facts}.items() if name}
        shown = self.shown_inputs(inputs)
        try:
            complaint = within(
                OURS_SECONDS,
                lambda: check.verify(shown, outputs, **known),  # type: ignore[misc]
            )
        except TookTooLong:  # the answer made it slow
            self._require_verify(check, inputs)
            return Mismatch(
                "the answer takes too long to verify; is it much larger than asked for?"
            )
        except (Exception, SystemExit) as error:  # a malformed answer, met by code for a good one
            self._require_verify(check, inputs)
            return Mismatch(f"the answer has another form than is asked for ({error!r})")
        if complaint is not None and not isinstance(complaint, str):
            kind = type(complaint).__name__
            told = f"returned a {kind}; it returns a sentence, or None where the answer is right"
            raise self._broken(check, "verify", told)
        return None if complaint is None else Mismatch(complaint)

    def _require_verify(self, check: Check, inputs: list[Frame]) -> None:
        """Whether it copes with the reference's own answer; not asked where it wants facts as well.

        Raises:
            LabError: it does not: then it is broken, and nobody's answer is to blame.
        """
        if check.facts or check.services is not None:
            return
        answer = self.expected(check, inputs)
        shown = self.shown_inputs(inputs)
        self._ours(check, "verify", OURS_SECONDS, check.verify, shown, answer)

    @staticmethod
    def shown_inputs(inputs: list[Frame]) -> dict[str, Any]:
        """The inputs as `verify` and a reader see them: what differs by rank as a list."""
        by_rank: list[dict[str, Any]] = [decoded(frame) for frame in inputs]
        if len(by_rank) == 1:
            return by_rank[0]
        encoded = [{k: _same(v) for k, v in one.items()} for one in by_rank]
        return {
            name: value
            if all(one[name] == encoded[0][name] for one in encoded)
            else PerRank(one[name] for one in by_rank)
            for name, value in by_rank[0].items()
        }


def _same(value: Any) -> bytes:
    return b"".join(bytes(part) for part in wire.encode(value))


def compare_ranks(outputs: Any, expected: Any, check: Check) -> Mismatch | None:
    """The first rank whose answer differs."""
    for rank, (got, wanted) in enumerate(zip(outputs, expected, strict=True)):
        found = compare(got, wanted, check.tolerance)
        if found is not None:
            return replace(found, message=f"rank {rank}: {found.message}")
    return None


def generator(seed: str, what: str) -> np.random.Generator:
    """A generator for one purpose, derived from the request's seed."""
    digest = hmac.digest(bytes.fromhex(seed), what.encode(), "sha256")
    return np.random.default_rng(int.from_bytes(digest, "big"))


def _of_rank(made: Inputs, rank: int, world: int) -> dict[str, Any]:
    """What one rank gets of the inputs."""
    for name, value in made.items():
        if isinstance(value, PerRank) and len(value) != world:
            raise LabError(f"input {name} has {len(value)} values for {world} ranks")
    return {n: value[rank] if isinstance(value, PerRank) else value for n, value in made.items()}


_referees: dict[tuple[Path, str], Referee] = {}


def referee_for(lab: Lab) -> Referee:
    """The lab's referee, loaded once for every version of it."""
    key = (lab.folder, lab.content_hash)  # the folder: complaints of a broken lab name it
    if key not in _referees:
        _referees[key] = Referee(lab)
    return _referees[key]
