"""What the environment tells a worker."""

import os
import socket
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[1]


class WorkerSettings(BaseSettings):
    """`GRADUS_…`, and `REDIS_URL` as everywhere. A worker knows no database and no secret of a course."""

    model_config = SettingsConfigDict(env_prefix="GRADUS_", extra="ignore", env_ignore_empty=True)

    home: Path = ROOT / "var"
    campus_url: str = "http://127.0.0.1:8000"
    worker_token: SecretStr = SecretStr("")  # empty: HOME/worker-token
    worker_name: str = Field(default_factory=socket.gethostname, max_length=80)
    worker_capabilities: list[Literal["cpu", "gpu"]] = ["cpu"]
    wall: Literal["docker", "bubblewrap", "local", "none"] | None = (
        None  # the best that can be built
    )
    worker_slots: int = Field(default_factory=lambda: min(4, os.cpu_count() or 1), ge=1)
    idle_poll_seconds: float = Field(default=5.0, gt=0)  # a lost nudge costs at most this
    announce_seconds: float = Field(default=25.0, gt=0)
    drain_seconds: float = Field(default=15.0, ge=0)  # for what is being graded when asked to stop

    redis_url: str = Field(default="", validation_alias="REDIS_URL")

    @property
    def broker_url(self) -> str:
        """The broker as kombu spells it."""
        url = self.redis_url or f"unix://{self.home / 'redis.sock'}"
        return url.replace("unix://", "redis+socket://", 1)

    @property
    def token(self) -> str:
        """The host's token; empty when there is none."""
        given = self.worker_token.get_secret_value()
        path = self.home / "worker-token"
        return given or (path.read_text().strip() if path.is_file() else "")


@cache
def settings() -> WorkerSettings:
    """Read once a process."""
    return WorkerSettings()
