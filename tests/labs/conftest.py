"""One wall for all tests of labs: zygotes stay warm from test to test."""

from collections.abc import Iterator

import pytest

from grader.lint import Linter, LintReport
from grader.referee import referee_for
from grader.sandbox.local import LocalSandbox
from labs.catalog import get_lab


@pytest.fixture(scope="session")
def sandbox() -> Iterator[LocalSandbox]:
    wall = LocalSandbox(("numpy",))
    yield wall
    wall.close()


@pytest.fixture(scope="session")
def autodiff(sandbox: LocalSandbox) -> Linter:
    """The autodiff lab, ready to grade anything through the real runner."""
    lab = get_lab("autodiff")
    report = LintReport(str(lab.folder))
    return Linter(lab, referee_for(lab), sandbox, report, on_progress=lambda text: None)
