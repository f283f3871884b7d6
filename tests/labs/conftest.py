"""One wall for all tests of labs: zygotes stay warm from test to test."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from grader.lint import Linter, LintReport
from grader.referee import referee_for
from grader.sandbox.local import LocalSandbox
from labs.catalog import get_lab

LinterOf = Callable[[str], Linter]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[LocalSandbox]:
    wall = LocalSandbox(("numpy",))
    yield wall
    wall.close()


@pytest.fixture(scope="session")
def linter_of(sandbox: LocalSandbox) -> LinterOf:
    """A lab by its slug, ready to grade anything through the real runner; loaded once."""

    @cache
    def load(slug: str) -> Linter:
        lab = get_lab(slug)
        report = LintReport(str(lab.folder))
        return Linter(lab, referee_for(lab), sandbox, report, on_progress=lambda text: None)

    return load


@pytest.fixture(scope="session")
def autodiff(linter_of: LinterOf) -> Linter:
    return linter_of("autodiff")


@pytest.fixture(scope="session")
def tensors(linter_of: LinterOf) -> Linter:
    return linter_of("tensors")


@pytest.fixture(scope="session")
def optim(linter_of: LinterOf) -> Linter:
    return linter_of("optim")
