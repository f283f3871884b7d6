"""The walls that a test can be run behind, and why one of them is not there.

`local` is always tried. `docker` needs an engine that answers and images made by `make images` from
this very tree. What CI sets up must be there: with CI set, a wall that is missing is a failure.
"""

import os

import pytest

from grader.errors import WallError

LOCAL = pytest.param("local", id="local")
DOCKER = pytest.param("docker", id="docker", marks=pytest.mark.docker)


def require_wall(name: str) -> str:
    """The name, or a skip that says what is missing."""
    if name == "docker" and (trouble := _trouble_with_docker()):
        if os.environ.get("GRADUS_TEST_WALLS") == "all":
            pytest.fail(f"the docker wall must be there: {trouble}")
        pytest.skip(f"no docker wall: {trouble}")
    return name


def _trouble_with_docker() -> str:
    try:
        from grader.sandbox.docker import require_docker
    except ImportError as error:
        return f"{error}"
    try:
        require_docker()
    except WallError as error:
        return str(error)
    return ""
