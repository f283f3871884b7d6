"""Whether a value that came over a wire is plain data throughout."""

from typing import Any

from grader.inside import wire


def strange(value: Any) -> str | None:
    """The name of a type in it that is not plain data."""
    if isinstance(value, wire.NotPlainData):
        return value.type_name
    parts = value.values() if isinstance(value, dict) else value
    if isinstance(value, list | tuple | dict):
        return next((found for part in parts if (found := strange(part)) is not None), None)
    return None
