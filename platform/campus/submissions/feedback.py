"""What a student may read of a check result. Staff read all of it.

Of a hidden check a student sees its name, its hint, the verdict and an exception's type; nothing that
student code could have written its hidden inputs into: no text, no output, no trial counts, no times,
no record of its ranks, and no exception type of the notebook's own making.
"""

import builtins
from typing import Any

OWN_EXCEPTION = "an exception class of your own"
_KNOWN_EXCEPTIONS = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
} | {"LinAlgError"}


def visible_result(detail: dict[str, Any], *, staff: bool) -> dict[str, Any]:
    """A stored `CheckResult` message, cut to what this reader may see; the shape stays the same."""
    if staff or not detail.get("hidden"):
        return detail
    exception = detail.get("exception")
    return {
        **{key: detail[key] for key in ("check", "exercise", "title", "verdict", "hint")},
        **{key: detail[key] for key in ("points", "max_points", "hidden")},
        "message": "",
        "difference": None,
        "inputs": "",
        "exception": exception and {"type": _type(exception["type"]), "text": "", "trace": []},
        "stdout": "",
        "trials_passed": 0,
        "trials": 1,
        "seconds": 0.0,
        "mistake": "",  # its hint is the hint, and that is all of it
        "timeline": [],  # marks, sizes and moments are the code's to choose
    }


def _type(name: str) -> str:
    known = name.rpartition(".")[2]  # what stands before it is the student's to choose
    return known if known in _KNOWN_EXCEPTIONS else OWN_EXCEPTION
