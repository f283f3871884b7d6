"""What an import changes, line by line, as it is printed and kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from django.db.models import Model

Kind = Literal["added", "changed", "removed"]
SIGNS: Mapping[Kind, str] = {"added": "+", "changed": "~", "removed": "-"}
LONGEST_VALUE = 90


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is added, changed or removed, with what it was and what it becomes."""

    kind: Kind
    what: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        if self.kind == "changed":
            return f"~ {self.what}: {self.before or '(nothing)'} → {self.after or '(nothing)'}"
        value = self.after or self.before
        return f"{SIGNS[self.kind]} {self.what}{f': {value}' if value else ''}"


@dataclass(slots=True)
class Diff:
    """Collects changes; `zone` is the course's, in which times are written."""

    zone: ZoneInfo
    changes: list[Change] = field(default_factory=list)

    def added(self, what: str, value: object = "") -> None:
        self.changes.append(Change("added", what, after=self.written(value)))

    def removed(self, what: str, value: object = "") -> None:
        self.changes.append(Change("removed", what, before=self.written(value)))

    def update(self, row: Model, what: str, values: Mapping[str, object]) -> None:
        """Set what differs and save the row; a row that is as it should be is not touched."""
        different = [name for name, value in values.items() if getattr(row, name) != value]
        for name in different:
            before, after = self.written(getattr(row, name)), self.written(values[name])
            label = FIELD_WORDS.get(name, name.replace("_", " "))
            self.changes.append(Change("changed", f"{what} {label}".strip(), before, after))
            setattr(row, name, values[name])
        if different:
            row.save()

    def written(self, value: object) -> str:
        """A value as people write it, on one line."""
        if value is None or value == "":
            return ""
        if isinstance(value, datetime):
            return f"{value.astimezone(self.zone):%Y-%m-%d %H:%M %Z}"
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, Decimal):
            return format(value.normalize(), "f")
        flat = " ".join(str(value).split())
        return flat if len(flat) <= LONGEST_VALUE else f"{flat[: LONGEST_VALUE - 1]}…"


FIELD_WORDS = {
    "due_at": "due",
    "release_at": "release",
    "page_marked_released": "released mark",
    "page_key": "name on the page",
    "weight_percent": "weight in %",
    "date": "day",
    "last_date": "last day",
    "component_id": "grading line",
    "week_id": "week",
    "url": "address",
}
