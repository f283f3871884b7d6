"""The trusted party: makes inputs, runs the reference, compares. The student's process never sees it.

Inputs of trial k come from HMAC(seed, check, k), where the request's seed was derived by campus from
the course's secret, the lab's hash and the submission's: the same submission always meets the same
inputs, and a changed one meets others.
"""

import hashlib
import hmac
import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from grader import notebook
from grader.checks import Check, collect
from grader.compare import Mismatch, compare, unfit
from grader.errors import LabError
from grader.inside import wire
from grader.inside.kernel import Notebook, seed_everything
from labs.catalog import Lab
from labs.labkit.released import describe_inputs

LABKIT = Path(__file__).resolve().parents[1] / "labs" / "labkit"
_one_at_a_time = threading.Lock()  # references share numpy's global generator


__all__ = ["Frame", "Referee", "decoded", "describe_inputs", "referee_for"]

Frame = list[bytes | memoryview]


def decoded(frame: Frame) -> Any:
    """A fresh copy of what a frame carries."""
    tree, declared = wire.parse_header(bytes(frame[1]))
    return wire.decode(tree, declared, b"".join(frame[2:]))


def through_the_wire(value: Any) -> Any:
    """The value as the other end of a wire would have it: copied, contiguous, plain."""
    return decoded(wire.encode(value))


def import_labkit() -> None:
    """Make `import labkit` work on the trusted side as it does in a notebook."""
    if "labkit" in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        "labkit", LABKIT / "__init__.py", submodule_search_locations=[str(LABKIT)]
    )
    if spec is None or spec.loader is None:
        raise LabError(f"{LABKIT} is not a package")
    module = importlib.util.module_from_spec(spec)
    sys.modules["labkit"] = module
    spec.loader.exec_module(module)
    module.use_runner(lambda name: None)


class Referee:
    """One lab, loaded: its checks and its reference.

    Raises:
        LabError: checks.py or the reference cannot be loaded, or a check is unknown to the catalog.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        import_labkit()
        self.checks = self._load_checks(lab)
        self._reference = Notebook(self._load_reference(lab))
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
            except Exception as error:
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
                code = compile(cell.source, f"{lab.folder / 'lab.py'}:{cell.id}", "exec")
                exec(code, module.__dict__)  # noqa: S102
            except Exception as error:
                raise LabError(f"{lab.slug}: reference cell {cell.id!r}: {error!r}") from error
        return module.__dict__

    def inputs(self, check: Check, seed: str, trial: int) -> Frame:
        """The inputs of one trial, encoded: both worlds decode the same bytes."""
        message = f"{check.name}|{trial}".encode()
        digest = hmac.new(bytes.fromhex(seed), message, hashlib.sha256).digest()
        rng = np.random.default_rng(int.from_bytes(digest, "big"))
        return wire.encode(check.make_inputs(rng, trial))

    def expected(self, check: Check, inputs: Frame) -> Any:
        """What the reference answers.

        Raises:
            LabError: the reference fails its own check.
        """
        with _one_at_a_time:
            seed_everything()
            try:
                return through_the_wire(check.function(self._reference, **decoded(inputs)))
            except Exception as error:
                raise LabError(
                    f"{self.lab.slug}: the reference fails {check.name}: {error!r}"
                ) from error

    def judge(self, check: Check, inputs: Frame, outputs: Any, expected: Any) -> Mismatch | None:
        """None when the answer is right."""
        if check.verify is None:
            return compare(outputs, expected, check.tolerance)
        if (mismatch := unfit(outputs)) is not None:
            return mismatch
        try:
            complaint = check.verify(decoded(inputs), outputs)
        except Exception as error:  # a malformed answer, met by code that expected a good one
            return Mismatch(f"the answer has another form than is asked for ({error!r})")
        return None if complaint is None else Mismatch(complaint)


_referees: dict[tuple[str, str], Referee] = {}


def referee_for(lab: Lab) -> Referee:
    """The lab's referee, loaded once for every version of it."""
    key = (lab.slug, lab.content_hash)
    if key not in _referees:
        _referees[key] = Referee(lab)
    return _referees[key]
