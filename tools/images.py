"""`make images`: the images of the Docker wall, built from this checkout. Standard library only.

The packages are fetched outside the build, by the checkout's own pip and so through whatever index,
proxy or cache it is configured for; the build itself needs no network. The base is a Python image from
the registry; where there is no registry, one that is made of a Debian mirror.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from grader.images import content
from tools.bootstrap import set_up
from tools.checkout import ROOT, VENV_PYTHON
from tools.console import Console
from tools.environments import site_steps
from tools.steps import StepError

PUBLIC_BASE = "python:3.11-slim-bookworm"
OWN_BASE = "gradus-base:bookworm"


def docker(*arguments: str, quiet: bool = False) -> None:
    """Raises StepError with what Docker said."""
    try:
        done = subprocess.run(
            ["docker", *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise StepError("The docker command is missing: apt install docker.io") from None
    if done.returncode != 0:
        said = "" if quiet else f"\n{(done.stdout + done.stderr)[-3000:]}"
        raise StepError(f"docker {arguments[0]} failed.{said}")


def has(image: str) -> bool:
    try:
        docker("image", "inspect", image, quiet=True)
    except StepError:
        return False
    return True


def base(console: Console) -> str:
    """The image to build upon: the one that was asked for, one that is there, or one that can be had."""
    chosen = os.environ.get("BASE")
    if chosen:
        return chosen
    for image in (PUBLIC_BASE, OWN_BASE):
        if has(image):
            return image
    try:
        console.say(f"fetching {PUBLIC_BASE}")
        docker("pull", PUBLIC_BASE, quiet=True)
    except StepError:
        console.say(f"no registry answers: making {OWN_BASE} of a Debian mirror")
        made = subprocess.run(
            ["sh", str(ROOT / "grader" / "images" / "base.sh"), OWN_BASE],  # noqa: S607
            check=False,
        )
        if made.returncode != 0:
            raise StepError(
                f"There is no base image. Fetch {PUBLIC_BASE}, or run grader/images/base.sh as root, "
                "or name an image with a Python 3.11: make images BASE=…"
            ) from None
        return OWN_BASE
    return PUBLIC_BASE


def fetch(image: str, place: Path) -> None:
    """The wheels of an image, as this checkout's pip finds them. Only Linux has those that it needs."""
    place.mkdir()
    if not sys.platform.startswith("linux"):
        return
    wanted = sorted(
        {each for packages in content.requirements(image).values() for each in packages}
    )
    done = subprocess.run(
        [
            *(str(VENV_PYTHON), "-m", "pip", "download", "--quiet", "--no-input"),
            *("--only-binary", ":all:", "--dest", str(place)),
            *("--constraint", str(content.ROOT / "constraints.txt"), "pip", *wanted),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StepError(f"pip could not fetch the packages:\n{done.stderr[-3000:]}")


def build(image: str, base: str, console: Console) -> None:
    """Make the context, build, and name the image by its content."""
    tag, content_hash = content.tag(image), content.content_hash(image)
    if has(tag):
        console.say(f"{tag} is there")
        return
    with tempfile.TemporaryDirectory(prefix="gradus-image-") as folder:
        context = Path(folder)
        for text, place in content.files(image):
            (context / place).parent.mkdir(parents=True, exist_ok=True)
            (context / place).write_bytes(text)
        console.say(f"{image}: fetching packages")
        fetch(image, context / "packages" / "wheels")
        network = "none" if any((context / "packages" / "wheels").iterdir()) else "host"
        # Where wheels were fetched these are their versions; a file that changes would build all anew.
        pins = (content.ROOT / "constraints.txt").read_text() if network == "host" else ""
        (context / "packages" / "constraints.txt").write_text(pins)
        console.say(f"{image}: building {tag} on {base}")
        docker(
            *("build", "--network", network, "--build-arg", f"BASE={base}"),
            *("--build-arg", f"CONTENT={content_hash}"),
            *("--tag", tag, "--tag", f"{content.PREFIX}-{image}:latest", str(context)),
        )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make images")
    parser.add_argument("images", nargs="*", choices=[*content.IMAGES, []], help="by default cpu")
    options = parser.parse_args(arguments)
    console = Console()
    try:
        docker("version")
        asyncio.run(set_up(site_steps(), console))
        chosen = base(console)
        for image in options.images or ("cpu",):
            build(image, chosen, console)
    except StepError as error:
        console.problem(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
