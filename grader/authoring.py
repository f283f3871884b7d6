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


def _release(options: argparse.Namespace) -> int:
    from grader.release import release
    from labs.catalog import read_lab

    for path in release(read_lab(options.folder), options.output):
        print(path)
    return 0
