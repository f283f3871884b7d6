"""Commands for authors: `release`, `import-nbgrader` and `gradebook`."""

import argparse
from pathlib import Path
from typing import Any


def add_commands(commands: Any, exit_codes: str) -> None:
    """Add the authors' commands to the parser of `python -m grader`."""

    def add(name: str, about: str, description: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(
            name,
            help=about,
            description=description,
            epilog=exit_codes,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        return parser

    release = add(
        "release",
        "write the student's version of a lab for plain Jupyter",
        "The notebook after nbgrader's preprocessors, labkit, and public trials of the checks.",
    )
    release.add_argument("folder", type=Path, help="e.g. labs/autodiff")
    release.add_argument("-o", "--output", type=Path, required=True, help="an empty or new folder")
    release.set_defaults(run=_release)
    importing = add(
        "import-nbgrader",
        "make classic labs of an nbgrader course",
        "Each source notebook becomes a lab of its own; without -o only a preview is printed.",
    )
    importing.add_argument("course", type=Path, help="a course folder, a .zip of one, or an .ipynb")
    importing.add_argument("-o", "--output", type=Path, help="a folder of labs, e.g. var/labs")
    importing.set_defaults(run=_import)
    book = add(
        "gradebook",
        "show nbgrader's gradebook.db, or write it anew",
        "Prints every student's score in every assignment as CSV.",
    )
    book.add_argument("file", type=Path, help="gradebook.db")
    book.add_argument("-o", "--output", type=Path, help="write it again, in the schema of 0.9")
    book.set_defaults(run=_gradebook)


def _release(options: argparse.Namespace) -> int:
    from grader.release import release
    from labs.catalog import read_lab

    for path in release(read_lab(options.folder), options.output):
        print(path)
    return 0


def _import(options: argparse.Namespace) -> int:
    from grader.errors import LabError
    from labs.importing import preview_folder, preview_upload, store_labs

    course: Path = options.course
    if course.is_dir():
        preview = preview_folder(course)
    else:
        try:
            preview = preview_upload(course.name, course.read_bytes())
        except OSError as error:
            raise LabError(f"{course}: {error.strerror}.") from None
    for lab in preview.labs:
        print(
            f"{lab.slug}: {lab.title} ({lab.points} points, {lab.tests} tests, {lab.manual} by hand)"
        )
        for line in (*lab.problems, *lab.notes):
            print(f"  {line}")
    for problem in preview.problems:
        print(problem)
    if not preview.ready:
        return 1
    if options.output:
        for slug in store_labs(preview, options.output):
            print(options.output / slug)
    return 0


def _gradebook(options: argparse.Namespace) -> int:
    import csv
    import sys

    from grader.gradebook import read_gradebook, write_gradebook

    book = read_gradebook(options.file)
    if options.output:
        write_gradebook(book, options.output)
        print(options.output)
        return 0
    out = csv.writer(sys.stdout)
    out.writerow(["assignment", "student", "submitted_at", "score", "late_penalty", "waiting"])
    for submission in book.submissions:
        when = submission.submitted_at.isoformat() if submission.submitted_at else ""
        penalty = sum(submission.penalties.values())
        waiting = sum(grade.needs_manual_grade for grade in submission.grades)
        row = [submission.assignment, submission.student, when, submission.score, penalty, waiting]
        out.writerow(row)
    return 0
