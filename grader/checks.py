"""The small API that a lab's `checks.py` is written with.

A check is an experiment that is written once and runs in two worlds: with the student's notebook as
`lab` inside the jail, and with the reference as `lab` in the referee. Only the *body* of the function
ever enters the jail; `inputs`, `verify` and tolerances stay outside.

    @check(exercise="E3", points=3, trials=5, inputs=lambda rng: {"x": rng.standard_normal((4, 3))})
    def shared_node(lab, x):
        "A value used twice adds both of its gradients."
        v = lab.Tensor(x, requires_grad=True)
        (v * v + v).sum().backward()
        return {"grad": v.grad}
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from grader.errors import LabError
from grader.kit import Network, Traffic
from grader.protocol import MAX_RANKS, Limits
from grader.services import Service, ServiceError, exported
from labs.labkit.comparing import Tolerance

__all__ = [
    "Check",
    "Network",
    "PerRank",
    "Service",
    "ServiceError",
    "Tolerance",
    "Traffic",
    "body_source",
    "check",
    "collect",
    "exported",
    "per_rank",
]

Inputs = Mapping[str, Any]
MakeInputs = Callable[..., Inputs]
Verify = Callable[..., str | None]
MakeServices = Callable[[Inputs, Any], Mapping[str, Service]]


class PerRank(list[Any]):
    """A value of its own for each rank."""


def per_rank(values: Iterable[Any]) -> PerRank:
    """Marks an input of which rank r gets the r-th value; unmarked inputs are the same everywhere."""
    return PerRank(values)


@dataclass(frozen=True, slots=True)
class Check:
    """One experiment with everything that the referee needs to ask it and to judge the answer."""

    name: str
    title: str
    exercise: str
    points: Decimal
    trials: int
    hidden: bool
    hint: str
    needs: tuple[str, ...]
    inputs: MakeInputs | None
    verify: Verify | None
    tolerance: Tolerance | None
    limits: Mapping[str, float]
    function: Callable[..., Any]
    body: str = field(repr=False)
    public_verify: bool = False
    takes: int = 0  # of rng, trial and world, how many `inputs` wants to know
    services: MakeServices | None = None
    worlds: tuple[int, ...] = ()  # of one trial after the other; empty: no ranks
    network: Network = field(default_factory=Network)
    compares: bool = True  # with the reference's answer
    unaliased: bool = False  # no output may share memory with an input
    facts: str = ""  # what `verify` wants to know besides: services, network
    gpu: bool = False  # touches CUDA
    group: str = ""  # of a lab with `fresh`: one process answers all checks of a group

    @property
    def process(self) -> tuple[str, bool]:
        """Checks with the same one may be asked in one process. A hidden check never shares a visible one's."""
        return self.group or self.exercise, self.hidden

    def world(self, trial: int) -> int:
        """How many ranks that trial has; 0: it is no experiment with ranks."""
        return self.worlds[trial % len(self.worlds)] if self.worlds else 0

    def make_inputs(self, rng: Any, trial: int) -> dict[str, Any]:
        """The keyword arguments of one trial; `inputs` may take rng, rng and trial, or the world, too."""
        if self.inputs is None:
            return {}
        known = (rng, trial, self.world(trial))
        return dict(self.inputs(*known[: self.takes]))

    def question(self) -> dict[str, Any]:
        """All of it that a jail is told before the first trial."""
        has_setting = self.services is not None or bool(self.worlds)
        return {
            "name": self.name,
            "body": self.body,
            "setting": has_setting,
            "unaliased": self.unaliased,
        }

    def limits_within(self, lab_limits: Limits) -> Limits:
        """The lab's limits with those that this check sets for itself."""
        return lab_limits.model_copy(update=dict(self.limits)) if self.limits else lab_limits


def _test_limits(check: str, limits: Mapping[str, float]) -> None:
    try:
        Limits.model_validate(dict(limits))
    except ValidationError as error:
        found = error.errors()[0]
        raise LabError(
            f"check {check}: limits: {found['loc'][0]}: {found['msg']}; got {found['input']!r}."
        ) from None


_registry: list[Check] | None = None


class collect:  # noqa: N801 (reads as a verb: `with collect() as checks:`)
    """Gathers every check that is defined while the block runs, in order."""

    def __enter__(self) -> list[Check]:
        global _registry
        self._outer, _registry = _registry, []
        return _registry

    def __exit__(self, *_: object) -> None:
        global _registry  # noqa: PLW0603
        _registry = self._outer


def check(
    *,
    exercise: str,
    points: float | str,
    trials: int = 1,
    inputs: MakeInputs | None = None,
    hidden: bool = False,
    hint: str = "",
    needs: tuple[str, ...] = (),
    verify: Verify | None = None,
    tolerance: Tolerance | None = None,
    limits: Mapping[str, float] | None = None,
    public_verify: bool = False,
    services: MakeServices | None = None,
    ranks: int | tuple[int, ...] = 0,
    network: Network | None = None,
    compare: bool | None = None,
    unaliased: bool = False,
    gpu: bool = False,
    group: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a check.

    Args:
        exercise: the exercise of lab.toml that it belongs to.
        points: what it is worth; every trial has to pass.
        trials: how often it is asked, each time with new inputs.
        inputs: `rng -> dict` or `rng, trial -> dict` of plain data; `rng` is a numpy Generator.
        hidden: the student sees only the name, the hint and the type of an exception.
        hint: shown with a failure.
        needs: checks that have to pass first; else this one is `not_reached`.
        verify: `(inputs, outputs) -> None | sentence`, run in the referee in place of the comparison
            with the reference, for answers of which many are right. A third parameter called
            `services` or `network` gets what was counted.
        compare: whether the answer is also compared with the reference's; by default only where
            there is no `verify`.
        unaliased: whether an answer that shares memory with an input is refused.
        services: `inputs, rng -> {name: Service}`: what the body may call; see grader.services.
        ranks: how many ranks run the body, each in a jail of its own: `(lab, comm, **inputs)`. A tuple
            has a world for each trial in turn. The answer is the list of the ranks' answers.
        network: what the network between ranks is like; see `Network`.
        gpu: it touches CUDA; only in labs with the zygote `torch-gpu`.
        group: in labs with `fresh`, checks of one group are asked in one process that ran the notebook;
            by default those of one exercise.
        tolerance: replaces the default for the dtype.
        limits: fields of `Limits` that differ from the lab's, e.g. `{"check_wall_seconds": 2}`. Those of
            the notebook's run (`notebook_wall_seconds`, `cpu_seconds`, …) are the lab's alone.
        public_verify: students may read `verify`: it is released with the notebook, as source, and
            `check` runs it in plain Jupyter. It is a plain function of np and math alone.

    Raises:
        LabError: the function has no docstring, or its limits are unknown.
    """

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        title = (inspect.getdoc(function) or "").strip().split("\n")[0]
        if not title:
            raise LabError(f"check {function.__name__}: give it a docstring; students read it.")
        unknown = set(limits or {}) - set(Limits.model_fields)
        if unknown:
            raise LabError(f"check {function.__name__}: unknown limits {sorted(unknown)}.")
        _test_limits(function.__name__, limits or {})
        worlds = (ranks,) if isinstance(ranks, int) else tuple(ranks)
        worlds = () if worlds == (0,) else worlds
        _agree(function, verify, services, worlds)
        parameters = list(inspect.signature(verify).parameters) if verify is not None else []
        declared = Check(
            name=function.__name__,
            title=title,
            exercise=exercise,
            points=Decimal(str(points)),
            trials=trials,
            hidden=hidden,
            hint=hint,
            needs=tuple(needs),
            inputs=inputs,
            verify=verify,
            tolerance=tolerance,
            limits=dict(limits or {}),
            public_verify=public_verify,
            function=function,
            body=body_source(function),
            takes=0 if inputs is None else _positional(inputs),
            services=services,
            worlds=worlds,
            network=network or Network(),
            unaliased=unaliased,
            compares=verify is None if compare is None else compare,
            facts=parameters[2] if len(parameters) > 2 else "",
            gpu=gpu,
            group=group,
        )
        if _registry is not None:
            _registry.append(declared)
        return function

    return declare


def _positional(function: Callable[..., Any]) -> int:
    """How many arguments it takes by position; what comes by keyword is the author's own business."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds for p in inspect.signature(function).parameters.values())


def _agree(
    function: Callable[..., Any],
    verify: Verify | None,
    services: MakeServices | None,
    worlds: tuple[int, ...],
) -> None:
    """Refuse what cannot be asked together.

    Raises:
        LabError
    """
    name = function.__name__
    if services is not None and worlds:
        raise LabError(f"check {name}: has services and ranks; make two checks of it.")
    if any(not 1 <= world <= MAX_RANKS for world in worlds):
        raise LabError(f"check {name}: ranks are from 1 to {MAX_RANKS}.")
    if worlds and list(inspect.signature(function).parameters)[1:2] != ["comm"]:
        raise LabError(f"check {name}: with ranks, its second parameter is comm.")
    third = list(inspect.signature(verify).parameters)[2:] if verify is not None else []
    possible = (["services"] if services is not None else []) + (["network"] if worlds else [])
    if third and (len(third) > 1 or third[0] not in possible):
        raise LabError(
            f"check {name}: verify takes inputs, outputs"
            + (f" and {possible[0]}." if possible else "; there is nothing else to give it.")
        )


def body_source(function: Callable[..., Any]) -> str:
    """The function alone, without its decorators: all of a check that ever enters a jail."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef):
        raise LabError(f"check {function.__name__}: must be a plain function.")
    definition.decorator_list = []
    return ast.unparse(tree)
