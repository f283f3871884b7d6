"""One sandbox for all tests of the grader: a zygote warms up once."""

from collections.abc import Iterator

import pytest

from grader.sandbox import open_sandbox
from grader.sandbox.base import Sandbox
from tests.grader.grading_desk import Desk


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    opened = open_sandbox()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def desk(sandbox: Sandbox) -> Desk:
    return Desk(sandbox)
