"""Which files go into an image, and the hash by which code and image know each other.

Only the standard library: `make images` runs this before anything is installed.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent
PREFIX = "gradus-wall"
LABEL = "gradus.content"
# Which zygotes an image has an environment for; their packages are extras in pyproject.toml.
IMAGES = {"cpu": ("numpy", "torch"), "gpu": ("torch-gpu",)}


def image_of(zygote: str) -> str:
    """The image that has an environment for this zygote.

    Raises:
        KeyError: none has.
    """
    return next(image for image, zygotes in IMAGES.items() if zygote in zygotes)


def requirements(image: str) -> dict[str, list[str]]:
    """What pip installs into each environment of an image."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    return {zygote: extras[f"{zygote}-zygote"] for zygote in IMAGES[image]}


def _pinned(packages: list[str]) -> list[str]:
    """The packages at the versions of constraints.txt, so that an image is anew when one of these is."""
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    versions = {pin.partition("==")[0].lower(): pin for pin in pins}
    return [versions.get(re.split(r"[^\w.-]", package)[0].lower(), package) for package in packages]


def files(image: str) -> Iterator[tuple[bytes, str]]:
    """Each file's content with the place that it has in the build context, in a fixed order."""
    for name in ("Dockerfile", "install.sh"):
        yield (FOLDER / name).read_bytes(), name
    for zygote, packages in requirements(image).items():
        yield ("\n".join(_pinned(packages)) + "\n").encode(), f"packages/{zygote}.txt"
    for folder in ("grader/inside", "labs/labkit"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.read_bytes(), f"code/{file.relative_to(ROOT).as_posix()}"


def content_hash(image: str) -> str:
    """Of everything that this project puts into an image: one with another hash is older or newer."""
    digest = hashlib.sha256()
    for content, place in files(image):
        digest.update(f"{place}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def tag(image: str) -> str:
    """The name of the image that fits this code; those of other versions may lie beside it."""
    return f"{PREFIX}-{image}:{content_hash(image)[:16]}"
