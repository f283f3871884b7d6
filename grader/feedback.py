"""Feedback on one graded notebook: an .ipynb and one HTML page, made of the report and of nothing else.

Whatever came from a student or out of a jail is text here: it is escaped, never interpreted. Of a hidden
check a student reads its name, verdict, hint and the kind of its exception. Standard library and markdown-it
alone, so that the site may make feedback itself.
"""

import builtins
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from grader import notebook
from grader.protocol import CheckResult, GradingReport, ManualResult, Verdict

if TYPE_CHECKING:
    from labs.catalog import Cell, Lab

NOTEBOOK_JUDGED = "Graded by the notebook itself: its own asserts gave these points."
UNSAFE = "Graded without a sandbox."
_BACKTICKS = re.compile("`+")
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #b3261e; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .3rem .6rem; text-align: left;
border-bottom: 1px solid var(--line); vertical-align: top; } td.points { text-align: right;
white-space: nowrap; } pre { background: #8881; padding: .8rem; border-radius: .4rem; overflow-x: auto; }
.result { border-left: .3rem solid var(--bad); padding: .1rem 1rem; margin: 1rem 0; }
.result[data-verdict=passed] { border-color: var(--good); }
.result[data-verdict=waiting] { border-color: var(--line); } .notice { font-weight: 600; }
"""


def feedback_notebook(lab: "Lab", answers: Mapping[str, str], report: GradingReport) -> bytes:
    """The student's notebook with a score table on top and each verdict below its cell."""
    document = json.loads(notebook.student_notebook(lab, answers))
    cells: list[dict[str, Any]] = [_markdown("feedback", _summary_markdown(lab, report))]
    for made, cell in zip(document["cells"], lab.cells, strict=True):
        cells.append(made)
        for number, lines in enumerate(_below(cell, report), start=1):
            text = "\n".join(lines)
            cells.append(_markdown(f"feedback-{cell.id}-{number}"[:64], _fenced(text)))
    document["cells"] = cells
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)
    return (text + "\n").encode("utf-8", "replace")


def feedback_html(lab: "Lab", answers: Mapping[str, str], report: GradingReport) -> str:
    """One page without scripts that may be shown, sent or printed."""
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        "<meta http-equiv='Content-Security-Policy' "
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>Feedback: {html.escape(lab.title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{html.escape(lab.title)}</h1>",
        *_summary_html(lab, report),
    ]
    for cell in lab.cells:
        parts.append(_cell_html(cell, answers.get(cell.id, cell.source)))
        for verdict, lines in zip(_verdicts(cell, report), _below(cell, report), strict=True):
            body = "<br>".join(html.escape(line) for line in lines)
            parts.append(f"<div class='result' data-verdict='{verdict}'><p>{body}</p></div>")
    return "\n".join([*parts, "</body></html>"]) + "\n"


def _notices(report: GradingReport) -> Iterator[str]:
    if report.graded_by == "notebook":
        yield NOTEBOOK_JUDGED
    if report.unsafe:
        yield UNSAFE
    if report.failure:
        yield f"The grader failed, which is not your fault ({report.reference_number})."


def _rows(report: GradingReport) -> Iterator[tuple[str, str, str, str]]:
    """Exercise, title, verdict, points."""
    for result in report.results:
        points = f"{result.points:f} of {result.max_points:f}"
        yield result.exercise, result.title, result.verdict.value.replace("_", " "), points
    for item in report.manual:
        yield item.exercise, item.title, _waiting(item), f"– of {item.max_points:f}"


def _waiting(item: ManualResult) -> str:
    return "waiting for a human" if item.answered else "waiting for a human (not answered)"


def _summary_html(lab: "Lab", report: GradingReport) -> Iterator[str]:
    yield f"<p>Score: <strong>{report.score:f} of {report.max_score:f}</strong> points</p>"
    for notice in _notices(report):
        yield f"<p class='notice'>{html.escape(notice)}</p>"
    yield "<table><thead><tr><th>Exercise</th><th>Check</th><th>Verdict</th><th>Points</th></tr></thead>"
    for exercise, title, verdict, points in _rows(report):
        words = "".join(f"<td>{html.escape(word)}</td>" for word in (exercise, title, verdict))
        yield f"<tr>{words}<td class='points'>{html.escape(points)}</td></tr>"
    yield "</table>"


def _summary_markdown(lab: "Lab", report: GradingReport) -> str:
    lines = [f"# Feedback: {_plain(lab.title)}", ""]
    lines += [f"**Score: {report.score:f} of {report.max_score:f} points**", ""]
    lines += [line for notice in _notices(report) for line in (notice, "")]
    lines += ["| exercise | check | verdict | points |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(map(_plain, row))} |" for row in _rows(report)]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """A text in a Markdown table as it stands, whatever it holds."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|$~&])", r"\\\1", " ".join(text.split()))


def _fenced(text: str) -> str:
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def _markdown(cell_id: str, source: str) -> dict[str, Any]:
    return {
        "cell_type": "markdown",
        "id": cell_id,
        "metadata": {"gradus": {"feedback": True}},
        "source": source.splitlines(keepends=True),
    }


def _verdicts(cell: "Cell", report: GradingReport) -> list[str]:
    found = [result.verdict.value for result in report.results if result.check in cell.checks]
    found += ["waiting" for item in report.manual if item.cell == cell.id]
    found += ["error" for told in report.cells if told.cell == cell.id and told.exception]
    return found


def _below(cell: "Cell", report: GradingReport) -> list[list[str]]:
    """What is said below a cell, in lines: verdicts, what waits, how the cell itself ended."""
    found = [_said(result) for result in report.results if result.check in cell.checks]
    found += [
        [f"{item.title}: {_waiting(item)}, {item.max_points:f} points"]
        for item in report.manual
        if item.cell == cell.id
    ]
    for told in report.cells:
        if told.cell == cell.id and told.exception:
            info = told.exception
            lines = [f"This cell ended with {info.type}: {info.text}"]
            found.append(
                lines + [f"line {f.line}: {f.source.strip()}" for f in info.trace if f.line]
            )
    return found


def _said(result: CheckResult) -> list[str]:
    points = f"{result.points:f} of {result.max_points:f} points"
    lines = [f"{result.title} — {result.verdict.value.replace('_', ' ')}, {points}"]
    if result.verdict is Verdict.PASSED:
        return lines
    if result.hidden:
        kind = _kind(result.exception.type) if result.exception else ""
        return lines + [line for line in (kind and f"It ended with {kind}.", _hint(result)) if line]
    lines += result.message.split("\n") if result.message else []
    if result.exception:
        lines += [
            f"cell {frame.cell}, line {frame.line}: {frame.source.strip()}"
            for frame in result.exception.trace
            if frame.line
        ]
    lines += [_hint(result)] if result.hint else []
    lines += ["Inputs:", *result.inputs.split("\n")] if result.inputs else []
    lines += ["Printed:", *result.stdout.rstrip().split("\n")] if result.stdout.strip() else []
    return lines


def _kind(name: str) -> str:
    """A class of the notebook's own could be named after what it was asked, so it stays unnamed."""
    known = isinstance(getattr(builtins, name, None), type)
    return name if known else "an exception class of your own"


def _hint(result: CheckResult) -> str:
    return f"Hint: {result.hint}" if result.hint else ""


def _cell_html(cell: "Cell", source: str) -> str:
    if cell.kind == "code":
        return f"<pre><code>{html.escape(source)}</code></pre>"
    return _rendered(source)


def _rendered(source: str) -> str:
    """Prose without HTML of its own, links or images: a page of feedback reaches for nothing."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    rendered: str = reader.disable(["link", "image", "autolink"]).render(source)
    return rendered


def write_feedback(
    lab: "Lab", answers: Mapping[str, str], report: GradingReport
) -> Iterable[tuple[str, bytes]]:
    """The names and contents of both files."""
    yield f"{lab.slug}-feedback.ipynb", feedback_notebook(lab, answers, report)
    yield (
        f"{lab.slug}-feedback.html",
        feedback_html(lab, answers, report).encode("utf-8", "replace"),
    )
