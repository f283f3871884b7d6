"""The outside of an .ipynb: JSON within limits, and its cells whatever version of the format they are in.

Format 4 as Jupyter, JupyterLab, Colab and VS Code write it (4.0 to 4.5; unknown metadata is let be), and
format 3 of IPython notebooks, whose cells lay in worksheets. Pure standard library; everything that is read
here came from outside and is treated as hostile.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from grader.errors import NotebookError
from grader.protocol import MAX_NOTEBOOK_BYTES

MAX_BRACKETS = (
    400_000  # bounds what parsing 5 MiB can allocate; outputs of honest notebooks have fewer
)
MAX_CELLS = 2_000
FRESH_COPY = "download a fresh copy of the lab and paste your answers into it"
KINDS = ("markdown", "code")


class _DuplicateKeyError(ValueError):
    """A JSON object that has the same key twice: two readers could see different answers."""


@dataclass(frozen=True, slots=True)
class Found:
    """One cell as it stands in a file, nothing in it trusted but that it is an object."""

    number: int  # counted from 1, as a reader counts
    kind: str  # "markdown" or "code"; anything else as it stands there, cut
    source: str | None  # None: it is no text
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """A notebook as it stands in a file."""

    cells: tuple[Found, ...]
    metadata: dict[str, Any]


def read_document(notebook: bytes | str) -> Document:
    """The cells of a notebook file.

    Raises:
        NotebookError: it is none, or too large to be looked at; every problem that can be told at once.
    """
    parsed = parsed_json(notebook)
    if not isinstance(parsed, dict):
        raise NotebookError("the file is not a notebook; upload the .ipynb file")
    major = parsed.get("nbformat")
    problems = _format_problems(major, parsed.get("nbformat_minor", 0 if major == 3 else None))
    cells = parsed.get("cells") if major != 3 else list(_of_worksheets(parsed))
    if not isinstance(cells, list):
        problems.append(f"the notebook has no list of cells; {FRESH_COPY}")
    elif len(cells) > MAX_CELLS:
        problems.append(f"the notebook has over {MAX_CELLS} cells; delete those that you added")
    else:
        problems += [
            f"cell number {number}: is not an object; {FRESH_COPY}"
            for number, cell in enumerate(cells, start=1)
            if not isinstance(cell, dict)
        ]
    refuse(problems)
    metadata = parsed.get("metadata")
    return Document(
        cells=tuple(_found(number, cell) for number, cell in enumerate(cells or (), start=1)),
        metadata=metadata if isinstance(metadata, dict) else {},
    )


def refuse(problems: Iterable[str]) -> None:
    """Raises:
    NotebookError: there are problems; all of them, up to fifty.
    """
    found = list(problems)
    if found:
        shown = found[:50] + ([f"… and {len(found) - 50} more"] if len(found) > 50 else [])
        raise NotebookError("\n".join(shown))


def _found(number: int, cell: dict[str, Any]) -> Found:
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if isinstance(source, str):
        source = source.replace("\r\n", "\n").replace("\r", "\n")
    metadata = cell.get("metadata")
    kind = cell.get("cell_type")
    return Found(
        number,
        kind[:20] if isinstance(kind, str) else "",
        source if isinstance(source, str) else None,
        metadata if isinstance(metadata, dict) else {},
    )


def _of_worksheets(document: dict[str, Any]) -> Iterator[Any]:
    """Format 3: cells in worksheets, code under `input`, headings as cells of their own."""
    worksheets = document.get("worksheets")
    for sheet in worksheets if isinstance(worksheets, list) else ():
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        for cell in cells if isinstance(cells, list) else ():
            if not isinstance(cell, dict):
                yield cell
            elif cell.get("cell_type") == "code":
                yield cell | {"source": cell.get("input")}
            elif cell.get("cell_type") in ("heading", "html"):
                yield cell | {"cell_type": "markdown", "source": _old_markdown(cell)}
            else:
                yield cell


def _old_markdown(cell: dict[str, Any]) -> object:
    source, level = cell.get("source"), cell.get("level", 1)
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if cell["cell_type"] != "heading" or not isinstance(source, str):
        return source
    hashes = "#" * (level if type(level) is int and 1 <= level <= 6 else 1)
    return f"{hashes} {' '.join(source.splitlines())}"


def parsed_json(notebook: bytes | str) -> Any:
    """JSON within limits; nothing large is allocated before its size is known to be allowed."""
    limit = f"{MAX_NOTEBOOK_BYTES // (1024 * 1024)} MiB"
    too_large = f"the notebook is larger than {limit}; clear its outputs and save it again"
    if len(notebook) > MAX_NOTEBOOK_BYTES:
        raise NotebookError(too_large)
    if isinstance(notebook, bytes):
        try:
            text = notebook.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise NotebookError(
                f"the file is not UTF-8 (byte {error.start}); save it from Jupyter as .ipynb"
            ) from None
    else:
        text = notebook.removeprefix("\ufeff")
        if len(text.encode("utf-8", "surrogatepass")) > MAX_NOTEBOOK_BYTES:
            raise NotebookError(too_large)
    if text.count("[") + text.count("{") > MAX_BRACKETS:
        raise NotebookError("the notebook has too many parts; clear its outputs and save it again")
    try:
        return json.loads(text, object_pairs_hook=_object_without_duplicates)
    except RecursionError:
        raise NotebookError(f"the notebook is nested too deeply; {FRESH_COPY}") from None
    except _DuplicateKeyError as error:
        raise NotebookError(f"the notebook has the key {error} twice; {FRESH_COPY}") from None
    except ValueError as error:
        raise NotebookError(
            f"the file is not a notebook ({error}); upload the .ipynb file"
        ) from None


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()  # one pass: an object may have half a million keys
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(ascii(key[:60])[:60])
            seen.add(key)
    return found


def _format_problems(major: object, minor: object) -> list[str]:
    if type(major) is not int or type(minor) is not int:
        return ["the file does not say which notebook format it has; upload the .ipynb file"]
    if major == 3 and minor >= 0:
        return []
    if major != 4 or not 0 <= minor <= 5:
        return [
            f"the notebook has format {str(major)[:9]}.{str(minor)[:9]}; save it as format 4 "
            "(4.0 to 4.5), which every current Jupyter does"
        ]
    return []
