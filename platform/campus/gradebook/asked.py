"""What a reader asked of the table, between the address and `Wanted`."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict

from campus.gradebook.table import ORDERS, Standing, Wanted

FILTERS = (*Standing, "late")
LONGEST_SEARCH = 100

# What a column sorts by first: names from A, numbers and times from the greatest.
COLUMNS = (
    ("student", "Student", False),
    ("section", "Section", False),
    ("submissions", "Tries", True),
    ("submitted", "Last submitted", True),
    ("state", "State", False),
    ("score", "Latest", True),
    ("best", "Best", True),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A heading that sorts: by itself, or the other way round when it already does."""

    key: str
    label: str
    address: str
    sorted: str  # for aria-sort: ascending, descending, or none

    @property
    def is_number(self) -> bool:
        return self.key in ("submissions", "score", "best")


def read_wanted(query: QueryDict, sections: set[str]) -> Wanted:
    """The query string as a Wanted; nonsense is ignored rather than refused."""
    order = query.get("sort", "")
    descending = order.startswith("-")
    order = order.removeprefix("-")
    if order not in ORDERS:
        order, descending = "student", False
    standing = query.get("state", "")
    section = query.get("section", "")
    page = query.get("page", "")
    return Wanted(
        search=query.get("q", "").strip()[:LONGEST_SEARCH],
        standing=standing if standing in FILTERS else "",
        section=section if section in sections else "",
        order=order,
        descending=descending,
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
    )


def query_of(wanted: Wanted, *, page: int = 1) -> str:
    """The address of what is wanted; the defaults are left out."""
    values = {
        "q": wanted.search,
        "state": wanted.standing,
        "section": wanted.section,
        "sort": wanted.sort,
        "page": str(page) if page > 1 else "",
    }
    return "?" + urlencode({key: value for key, value in values.items() if value})


def sort_links(wanted: Wanted) -> list[Column]:
    """The headings of the table, each with the address that sorts by it."""
    columns = []
    for key, label, descends_first in COLUMNS:
        is_current = key == wanted.order
        descending = not wanted.descending if is_current else descends_first
        address = query_of(replace(wanted, order=key, descending=descending))
        direction = "descending" if wanted.descending else "ascending"
        columns.append(Column(key, label, address, direction if is_current else "none"))
    return columns
