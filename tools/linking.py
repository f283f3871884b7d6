"""Links packages of this environment into another one: `python -m tools.linking FOLDER REQUIREMENT…`.

The requirements are followed to all that they need. Files are hard links where the file system allows it
and copies where it does not; a package that is replaced here later gets new files, and the other
environment keeps the old ones until it is made again.
"""

import os
import shutil
import sys
from importlib import metadata
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement


def closure(requirements: list[str]) -> dict[str, metadata.Distribution]:
    """Every distribution that the requirements need on this machine, by its normal name.

    Raises:
        SystemExit: one of them is not installed here.
    """
    found: dict[str, metadata.Distribution] = {}
    waiting = [(Requirement(text), "") for text in requirements]
    while waiting:
        requirement, needed_by = waiting.pop()
        if requirement.marker is not None and not any(
            requirement.marker.evaluate({"extra": extra}) for extra in ("", *requirement.extras)
        ):
            continue
        name = requirement.name.lower().replace("_", "-").replace(".", "-")
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(requirement.name)
        except metadata.PackageNotFoundError:
            origin = f", which {needed_by} needs," if needed_by else ""
            sys.exit(f"{requirement.name}{origin} is not installed here; install it first")
        waiting += [(Requirement(text), name) for text in found[name].requires or ()]
    return found


def link(distribution: metadata.Distribution, target: Path) -> int:
    """Put its modules into another site-packages; programs and manual pages stay here."""
    count = 0
    for file in distribution.files or ():
        source = Path(str(distribution.locate_file(file)))
        if ".." in file.parts or not source.is_file():
            continue
        place = target / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        try:
            os.link(source, place)
        except OSError:
            shutil.copy2(source, place)
        count += 1
    return count


def main() -> None:
    target = Path(sys.argv[1])
    for kept in target.iterdir():  # what an earlier version of the list had put there
        if kept.is_dir():
            shutil.rmtree(kept)
        else:
            kept.unlink()
    for name, distribution in closure(sys.argv[2:]).items():
        print(f"{name}: {link(distribution, target)} files", flush=True)


if __name__ == "__main__":
    main()
