"""What a notebook may use besides numpy, torch and the standard library.

It is importable as `labkit` wherever a notebook runs: in a jail, in the referee, in Jupyter. Importing
it imports neither numpy nor torch: its parts are loaded when they are first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .asking import Runner, check, use_runner
from .chart import HeatMap, LineChart, figure
from .comm import Comm, CommError, Work
from .services import Proxy, ServiceError

if TYPE_CHECKING:
    from .launching import launch
    from .network import Event, Network, Traffic
    from .threads import Deadlock, RankFailed, run_threads

_LATE = {
    "Event": "network",
    "Network": "network",
    "Traffic": "network",
    "launch": "launching",
    "Deadlock": "threads",
    "RankFailed": "threads",
    "run_threads": "threads",
    "Ledger": "tracing",
    "Tracer": "tracing",
    "census": "tracing",
    "TinyLM": "tiny_lm",
    "CharTokenizer": "text",
    "ScriptedLM": "text",
    "DistributedComm": "distributed",
}

__all__ = [
    "CharTokenizer",
    "Comm",
    "CommError",
    "Deadlock",
    "DistributedComm",
    "Event",
    "HeatMap",
    "Ledger",
    "LineChart",
    "Network",
    "Proxy",
    "RankFailed",
    "Runner",
    "ScriptedLM",
    "ServiceError",
    "TinyLM",
    "Tracer",
    "Traffic",
    "Work",
    "census",
    "check",
    "figure",
    "launch",
    "run_threads",
    "use_runner",
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"labkit has no {name}")
    return getattr(importlib.import_module(f".{_LATE[name]}", __name__), name)
