"""What the site writes to its log can be read by more people than its database."""

import pytest
import structlog


def test_a_traceback_tells_where_but_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    key = "-".join(["a", "secret", "value"])
    try:
        len(key) / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("failed")
    written = "".join(capsys.readouterr())
    assert "test_a_traceback_tells_where_but_no_values" in written
    assert "a-secret-value" not in written
