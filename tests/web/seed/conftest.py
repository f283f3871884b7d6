import pytest

from tests.web.staff.builders import LABS


@pytest.fixture(autouse=True)
def _labs_of_these_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADUS_LABS_PATH", str(LABS))
