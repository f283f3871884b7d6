"""The grader on the command line: `python -m grader lint|grade|doctor`."""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from grader import authoring
from grader.errors import GraderError, LabError, NotebookError
from grader.protocol import MAX_NOTEBOOK_BYTES, CheckResult, Flag, GradingReport, GradingRequest

if TYPE_CHECKING:
    from grader.sandbox import Sandbox

WALLS = ("local", "bubblewrap", "docker")
WALL_HELP = "behind which wall (GRADUS_WALL, else local)"
CLEAN, FINDINGS, UNUSABLE, OUR_SIDE = 0, 1, 2, 3
EXIT_CODES = """exit codes:
  0  lint: nothing to mend; grade: graded, whatever the score is; doctor: this host can grade
  1  lint: something has to be mended; doctor: something keeps this host from grading
  2  the arguments, the lab or the notebook cannot be used; the message says what to do
  3  this host cannot grade (no wall, no environment for the lab); nothing is said about the lab
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (LabError, NotebookError) as error:
        print(printable(str(error)), file=sys.stderr)
        return UNUSABLE
    except GraderError as error:
        print(f"This host cannot grade: {error}", file=sys.stderr)
        return OUR_SIDE
    return code


def _parser() -> argparse.ArgumentParser:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m grader", description=__doc__, epilog=EXIT_CODES, formatter_class=layout
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    lint = commands.add_parser(
        "lint",
        help="prove that a lab grades what it says",
        description="Reference, starter, null answers, wrong/ and cheats/ through real jails.",
        epilog=EXIT_CODES,
        formatter_class=layout,
    )
    lint.add_argument("folders", type=Path, nargs="*", metavar="LAB", help="e.g. labs/autodiff")
    lint.add_argument("--all", action="store_true", help="every lab that ships with the project")
    lint.add_argument("--seeds", type=_positive, default=5, help="for oracle and reference (5)")
    lint.add_argument("--json", action="store_true", help="print the findings as JSON")
    lint.add_argument("--wall", choices=WALLS, help=WALL_HELP)
    lint.set_defaults(run=_lint)
    grade = commands.add_parser(
        "grade",
        help="grade one notebook without any server",
        description="Grades one .ipynb in a jail on this host and prints the report.",
        epilog=EXIT_CODES,
        formatter_class=layout,
    )
    grade.add_argument("folder", type=Path, help="e.g. labs/autodiff")
    grade.add_argument("notebook", type=Path, help="the .ipynb that was handed in")
    grade.add_argument("--seed", type=int, default=0, help="chooses the hidden inputs (0)")
    grade.add_argument("--json", action="store_true", help="print the whole report as JSON")
    grade.add_argument("--wall", choices=WALLS, help=WALL_HELP)
    grade.add_argument("--feedback", type=Path, metavar="DIR", help="write .ipynb and .html there")
    grade.set_defaults(run=_grade)
    doctor = commands.add_parser(
        "doctor",
        help="say what this host lacks for grading, and how to mend it",
        description="Builds jails behind every wall that could work here and looks around in one.",
        epilog=EXIT_CODES,
        formatter_class=layout,
    )
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    doctor.set_defaults(run=_doctor)
    authoring.add_commands(commands, EXIT_CODES)
    return parser


def _doctor(options: argparse.Namespace) -> int:
    from grader.doctor import examine

    def progress(text: str) -> None:
        if not options.json and sys.stderr.isatty():
            print(f"  {text}", file=sys.stderr)

    found = examine(on_progress=progress)
    print(found.model_dump_json(indent=1) if options.json else found.as_text(), flush=True)
    return FINDINGS if found.problems else CLEAN


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _lint(options: argparse.Namespace) -> int:
    from grader.lint import lint

    def progress(text: str) -> None:
        if not options.json:
            print(f"  {text}", file=sys.stderr)

    folders = _folders(options)
    sandbox = _open_wall(options, ())
    try:
        reports = [
            lint(folder, sandbox, seeds=options.seeds, on_progress=progress) for folder in folders
        ]
    finally:
        sandbox.close()
    clean = all(report.clean for report in reports)
    if options.json:
        found = [report.as_json() for report in reports]
        told = found if options.all or len(found) > 1 else found[0]
        print(json.dumps(told, indent=1, default=str))
        return CLEAN if clean else FINDINGS
    for folder, report in zip(folders, reports, strict=True):
        for note in report.notes:
            print(f"note: {note}")
        for finding in report.findings:
            print(printable(str(finding)))
        outcome = "clean" if report.clean else f"{len(report.findings)} to mend"
        print(f"{folder}: {outcome} ({report.graded} gradings, {report.seconds:.1f} s)")
    return CLEAN if clean else FINDINGS


def _folders(options: argparse.Namespace) -> list[Path]:
    """What is to be linted.

    Raises:
        LabError: nothing, or labs by name and all of them at once.
    """
    from labs.catalog import HOME

    if options.all == bool(options.folders):
        raise LabError("Name the folders of labs, or say --all; not both.")
    if not options.all:
        found: list[Path] = options.folders
        return found
    return sorted(path.parent for path in HOME.glob("*/lab.toml"))


def _open_wall(options: argparse.Namespace, zygotes: tuple[str, ...]) -> "Sandbox":
    """The wall that was asked for; without a word the local one, which starts fastest.

    Raises:
        NoWallError: it cannot be built here.
    """
    from grader.sandbox import open_sandbox
    from grader.sandbox.local import LocalSandbox

    wall = options.wall or os.environ.get("GRADUS_WALL")
    return open_sandbox(zygotes or ("numpy",), wall=wall) if wall else LocalSandbox(zygotes)


def _grade(options: argparse.Namespace) -> int:
    from grader.feedback import write_feedback
    from grader.runner import grade
    from labs.catalog import read_answers, read_lab, student_notebook

    lab = read_lab(options.folder)
    try:
        if options.notebook.stat().st_size > MAX_NOTEBOOK_BYTES:
            raise NotebookError(f"{options.notebook} is too large; clear its outputs.")
        content = options.notebook.read_bytes()
    except OSError as error:
        raise NotebookError(f"{options.notebook}: {error.strerror}; name an .ipynb file.") from None
    answers = read_answers(lab, content)
    notebook = student_notebook(lab, answers)
    sandbox = _open_wall(options, (lab.zygote,))
    try:
        report = grade(
            GradingRequest(
                attempt="command-line",
                lab=lab.slug,
                lab_hash=lab.content_hash,
                submission_sha256=hashlib.sha256(notebook).hexdigest(),
                seed=hashlib.sha256(f"seed {options.seed}".encode()).hexdigest(),
                notebook=notebook.decode("utf-8"),
            ),
            sandbox=sandbox,
            lab=lab,
        )
    finally:
        sandbox.close()
    print(report.model_dump_json(indent=1) if options.json else printable(_as_text(report)))
    if options.feedback:
        options.feedback.mkdir(parents=True, exist_ok=True)
        for name, file in write_feedback(lab, answers, report):
            (options.feedback / name).write_bytes(file)
    return CLEAN


def _as_text(report: GradingReport) -> str:
    lines = [
        f"cell {c.cell}: {c.exception.type}: {c.exception.text}"
        for c in report.cells
        if c.exception
    ]
    lines += [_result_text(result) for result in report.results]
    lines += [f"flag: cell {f.cell}, line {f.line}: {f.text}" for f in report.flags]
    lines += [
        f"{item.exercise:>4}  waiting for a human   {item.max_points!s:>5} {item.title}"
        for item in report.manual
    ]
    lines += [_flag_text(flag) for flag in report.flags]
    if report.graded_by == "notebook":
        lines.append("graded by the notebook itself: its own asserts gave these points")
    wall = "in no wall at all" if report.unsafe else f"wall: {report.wall}"
    lines.append(f"{report.score} of {report.max_score} points ({wall}, {report.seconds:.2f} s)")
    return "\n".join(lines)


def printable(text: str) -> str:
    """Student's text for a terminal: what would move its cursor, its title or its clipboard is spelled out."""
    return "".join(
        character
        if character in "\n\t" or character.isprintable()
        else character.encode("unicode_escape").decode()
        for character in text
    )


def _result_text(result: CheckResult) -> str:
    line = (
        f"{result.exercise:>4}  {result.verdict.value:<13} {result.points!s:>5}/{result.max_points!s:<5}"
        f" {result.check}: {result.title}"
    )
    hint = result.hint
    if result.mistake:
        hint = f"This looks like a known mistake (wrong/{result.mistake}.py): {hint}"
    for more in (result.message, hint, *_rank_texts(result)):
        line += f"\n      {more}" if more else ""
    if result.exception:
        line += "".join(
            f"\n      cell {frame.cell}, line {frame.line}: {frame.source.strip()}"
            for frame in result.exception.trace
        )
    return line


def _rank_texts(result: CheckResult) -> list[str]:
    """How ranks ended badly, as far as the check's own sentence does not say it."""
    texts, others = [], []
    for record in result.timeline:
        if record.error == "failed":
            others.append(str(record.rank))
        elif record.error.removeprefix(f"rank {record.rank}: ") not in result.message:
            texts.append(record.error)
    return texts + ([f"failed, too: rank {', '.join(others)}"] if others else [])


def _flag_text(flag: Flag) -> str:
    """Something that a human should look at, with its place."""
    place = f"cell {flag.cell}" + (f", line {flag.line}" if flag.line else "") if flag.cell else ""
    return f"flag ({flag.kind}, changes no score): {flag.text}" + (f" ({place})" if place else "")


if __name__ == "__main__":
    sys.exit(main())
