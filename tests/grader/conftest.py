"""One sandbox per wall for all tests of the grader: a zygote warms up once.

Every test that asks for `sandbox` or `desk` runs once behind each wall: `local`, and `docker` where an
engine and current images are there. `wall` is the name alone, for a test that opens sandboxes itself.
"""

from collections.abc import Iterator

import pytest

from grader.sandbox import open_sandbox
from grader.sandbox.base import Sandbox
from tests.grader.grading_desk import Desk
from tests.walls import DOCKER, LOCAL, require_wall


@pytest.fixture(scope="session", params=[LOCAL, DOCKER])
def wall(request: pytest.FixtureRequest) -> str:
    return require_wall(request.param)


@pytest.fixture(scope="session")
def sandbox(wall: str) -> Iterator[Sandbox]:
    opened = open_sandbox(wall=wall)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def desk(sandbox: Sandbox) -> Desk:
    return Desk(sandbox)
