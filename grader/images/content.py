"""Which files go into an image, and the hash by which code and image know each other.

Only the standard library: `make images` runs this before anything is installed.
"""

import hashlib
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


def files(image: str) -> Iterator[tuple[bytes, str]]:
    """Each file's content with the place that it has in the build context, in a fixed order."""
    for name in ("Dockerfile", "install.sh"):
        yield (FOLDER / name).read_bytes(), name
    yield (ROOT / "constraints.txt").read_bytes(), "packages/constraints.txt"
    for zygote, packages in requirements(image).items():
        yield ("\n".join(packages) + "\n").encode(), f"packages/{zygote}.txt"
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
